"""What names the texts and the weights that a job reads: with them its result would be another."""

from collections.abc import Sequence

from core.engine.tasks import Late
from core.sources.datasets import dataset_key
from core.sources.models import model_revision
from core.specs import AtlasSpec, CloudSpec, DatasetSpec, HygieneSpec, ModelSpec, PathsSpec, TuningSpec


def weights(model: ModelSpec) -> Late:
    """Return what names a model's weights; empty for a hub model that is not on this machine yet.

    Raises:
        UnknownName: no such model.
    """
    return Late(model_revision(model) or "")


def texts_and_weights(*specs: CloudSpec | PathsSpec | TuningSpec) -> tuple[str, ...]:
    """Return what names the texts and the weights of each spec.

    Raises:
        UnknownName, BadData: a model, module or file that there is not.
    """
    return tuple(part for spec in specs for part in (dataset_key(spec.dataset), weights(spec.model)))


def of_clouds(spec: AtlasSpec | HygieneSpec) -> tuple[str, ...]:
    """Return what names the texts and the weights of each cloud (see `texts_and_weights`)."""
    return texts_and_weights(*spec.clouds)


def labels(datasets: Sequence[DatasetSpec]) -> list[str]:
    """Return the data sets' labels, numbered where several have the same."""
    names = [dataset.label for dataset in datasets]
    return [f"{name} ({names[:i].count(name) + 1})" if name in names[:i] else name for i, name in enumerate(names)]
