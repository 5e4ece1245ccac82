"""Fit a prior that takes long, and keep it: the job behind its preview."""

from core.activations.references import ReferenceRequest, gather, make
from core.engine.tasks import Result, Task
from core.jobs.context import texts_and_weights, weights
from core.priors.fitting import VERSION, fit_key, fit_prior, require_long
from core.progress import Progress
from core.specs.fit import FitSpec
from core.store import JobFolder, Store


def fit_and_keep(spec: FitSpec, job: JobFolder, store: Store, progress: Progress) -> Result:
    """Capture what is missing of the clouds, and fit the prior on them.

    Returns:
        key of the stored fit, and the prior's report.

    Raises:
        BadRequest, Diverged: as the prior's `fit`.
        Cancelled: by `progress`.
    """
    references = gather(spec.prior, request_of(spec), store, lambda needed: make(needed, store, progress))
    prior = fit_prior(spec.prior, references, store, progress)
    key = fit_key(spec.prior, references)
    job.log(f"fit {key} of the prior {spec.prior.kind}")
    return {"key": key, "report": prior.report()}


def request_of(spec: FitSpec) -> ReferenceRequest:
    """Return where a prior is fitted."""
    return ReferenceRequest(spec.model, spec.reference, spec.site)


def _context(spec: FitSpec) -> tuple[str, ...]:
    require_long(spec.prior)
    return texts_and_weights(spec.reference) if spec.reference else (weights(spec.model),)


FIT = Task("fit", "f", FitSpec, fit_and_keep, "heavy", version=VERSION, context=_context)
