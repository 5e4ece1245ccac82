"""Tune a prompt."""

from core.engine.tasks import Result, Task
from core.jobs.context import texts_and_weights
from core.progress import Progress
from core.specs import TuningSpec
from core.specs.prior import require_differentiable
from core.store import JobFolder, Store
from core.tuning import VERSION


def tune_prompt(spec: TuningSpec, job: JobFolder, store: Store, progress: Progress) -> Result:
    """Tune a prompt from the checkpoint, if there is one, to the end; see `core.tuning.run.tune`."""
    from core.tuning.run import tune

    return tune(spec, job, store, progress)


def _context(spec: TuningSpec) -> tuple[str, ...]:
    if spec.log_prior_weight:
        require_differentiable(spec.prior)
    return texts_and_weights(spec)


TUNE = Task("tune", "t", TuningSpec, tune_prompt, "train", keeps=True, version=VERSION, context=_context)
