"""Names of tuning runs."""

from core.jobs.measure import tuning_spec
from core.specs import TuningSpec
from core.store import JobFolder
from core.store.imported import imported, unknown_settings


def label(job: JobFolder) -> str:
    """Return a short name that tells runs apart."""
    spec = tuning_spec(job)
    model = spec.model.name.rstrip("/").rsplit("/", 1)[-1]
    method = "deep " if spec.method == "deep" else ""
    weights = [
        f"{name.removesuffix('_weight').replace('_', ' ')} {value:g}" for name, value in weights_of(spec).items()
    ]
    settings = (
        f"rate {spec.learning_rate:g}{' relative' if spec.rate_unit == 'relative' else ''}",
        f"seed {spec.seed}",
    )
    if imported(job):
        settings = ("imported",) if unknown_settings(job) else (*settings, "imported")
    parts = (f"{method}{spec.prior.kind}", spec.dataset.label, model, *settings)
    return " · ".join((*parts, *weights, job.id))


def weights_of(spec: TuningSpec) -> dict[str, float]:
    """Return the regularisers' weights that are not 0, by field."""
    return {name: weight for name in spec.regularisers() if (weight := getattr(spec, name))}
