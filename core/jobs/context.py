"""What names the texts and the weights that a job reads: with them its result would be another."""

from core.engine.tasks import Late
from core.sources.datasets import dataset_key
from core.sources.models import model_revision
from core.specs import AtlasSpec, CloudSpec, HygieneSpec, ModelSpec, PathsSpec, TuningSpec


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
