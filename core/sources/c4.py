"""C4 (English web text): a JSONL file, or the hub, streamed."""

from collections import Counter

from core.errors import BadRequest, Unreachable
from core.progress import Progress, silent
from core.sources import hub, own_file
from core.sources.records import Availability, Found, Record, usable
from core.specs.dataset import DatasetSpec
from core.store.artifacts import Store

TITLE = "C4 (English)"
LICENCE = "ODC-BY 1.0"
HUB_ID = "allenai/c4"
N_SHARDS = 1024


def find(spec: DatasetSpec, store: Store, progress: Progress = silent) -> Found:
    """Return documents: all of a named file, or as many as asked for from one of the hub's shards.

    C4's shards are in random order, so the seed chooses the shard and its first documents are a
    random sample; only their part of the shard's 300 MB crosses the network.

    Raises:
        BadData: a named file without a text column.
        Unreachable: no file is named and the hub is out of reach.
    """
    if spec.path:
        found = own_file.find(spec, store)
        found.provenance["licence"] = LICENCE
        return found
    shard = f"en/c4-train.{spec.seed % N_SHARDS:05d}-of-{N_SHARDS:05d}.json.gz"
    try:
        commit = hub.info("dataset", HUB_ID).sha
        with hub.explained("dataset", HUB_ID, commit):
            texts = _first(address(shard, commit), spec.samples, progress)
    except (Unreachable, BadRequest) as error:
        raise Unreachable(f"{error} Or take the data set 'news', its stand-in from the package index.") from None
    dropped: Counter[str] = Counter()
    records = usable((Record.document(f"c4-{i}", text) for i, text in enumerate(texts)), dropped, is_task=False)
    provenance = {"source": "hub", "id": HUB_ID, "commit": commit, "file": shard, "licence": LICENCE}
    return Found(records, is_task=False, provenance=provenance, dropped=dropped, drawn=True)


def availability(_: Store, why_no_hub: str) -> Availability:
    """Return where the texts would come from."""
    return hub.availability(why_no_hub, HUB_ID)


def address(shard: str, commit: str) -> str:
    """Return where a shard is, as `datasets` writes it."""
    return f"hf://datasets/{HUB_ID}@{commit}/{shard}"


def _first(shard: str, n_samples: int, progress: Progress) -> list[str]:
    """Return the first texts of a shard, read over the network only as far as they go."""
    from datasets import load_dataset

    texts: list[str] = []
    for row in load_dataset("json", data_files=[shard], split="train", streaming=True).take(n_samples):
        progress(len(texts), n_samples, "streaming C4")
        texts.append(row["text"])
    return texts
