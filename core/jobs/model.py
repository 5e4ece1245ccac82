"""Fetch and load a model, and keep its embedding matrix as a cloud."""

from core.engine.tasks import Result, Task
from core.progress import Progress
from core.sources.models import resolve_model
from core.specs import ModelSpec
from core.store import JobFolder, Store


def describe(spec: ModelSpec, _job: JobFolder, store: Store, progress: Progress) -> Result:
    """Load a model, fetched if need be, and return its shape and where it came from."""
    from core.lm.load import load_reader

    files = resolve_model(spec, store, progress)
    model = load_reader(spec, store, progress)
    return {
        "model": spec.name,
        "revision": files.revision,
        "provenance": files.provenance,
        "n_layers": model.n_layers,
        "d_model": model.d_model,
        "n_vocabulary": model.n_vocabulary,
        "device": str(model.device),
        "dtype": str(model.dtype).removeprefix("torch."),
    }


def keep_vocabulary(spec: ModelSpec, _job: JobFolder, store: Store, progress: Progress) -> Result:
    """Keep the rows of a model's embedding matrix as a cloud, and return its key and size."""
    from core.activations.vocabulary import vocabulary_cloud

    cloud = vocabulary_cloud(spec, store, progress)
    return {"key": cloud.key, "n_rows": len(cloud.rows), "sites": list(cloud.sites)}


MODEL = Task("model", "m", ModelSpec, describe, "heavy")
VOCABULARY = Task("vocabulary", "v", ModelSpec, keep_vocabulary, "heavy")
