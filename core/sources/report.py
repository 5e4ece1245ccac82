"""For `doctor`: where each model and data set would come from on this machine, or why it cannot."""

from dataclasses import asdict

from core.sources import hub
from core.sources.datasets import dataset_source
from core.sources.models import describe_model
from core.sources.packaged import PACKAGED
from core.sources.records import Availability
from core.specs.base import JsonObject
from core.specs.dataset import DATASETS
from core.specs.model import ModelSpec
from core.store.artifacts import Store


def sources_report(store: Store, ask_hub: bool = True) -> list[JsonObject]:
    """Return a row for each packaged model and for each data set.

    Args:
        store: looked into first.
        ask_hub: whether to ask the hub one short question, unless it is known to be out of reach.

    Returns:
        Rows with `kind` ('model' or 'dataset'), `name`, `title`, `source` ('store', 'hub',
        'package', 'generator', 'file' or None), `available`, and `note` in words.
    """
    why_no_hub = hub.reachable_or_why() if ask_hub else hub.why_not()
    any_model = "any causal language model of the hub, and encoders such as t5-base"
    return [
        *(_model(name, store) for name in PACKAGED),
        _row("model", "hub models", any_model, hub.availability(why_no_hub)),
        *(
            _row("dataset", name, source.TITLE, source.availability(store, why_no_hub))
            for name, source in ((name, dataset_source(name)) for name in DATASETS)
        ),
    ]


def _model(name: str, store: Store) -> JsonObject:
    facts = describe_model(ModelSpec(name=name), store)
    return _row("model", name, PACKAGED[name].title, Availability("store" if facts.present else "package", facts.where))


def _row(kind: str, name: str, title: str, found: Availability) -> JsonObject:
    return {"kind": kind, "name": name, "title": title, "available": found.source is not None, **asdict(found)}
