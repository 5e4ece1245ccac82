"""Which posterior to measure."""

from pydantic import Field

from core.specs.base import Seed, Spec
from core.specs.dataset import DatasetSpec


class MeasureSpec(Spec, frozen=True):
    """All measures of one run's posterior."""

    run: str = Field(min_length=1, title="Run")
    """Id of a finished run that has a posterior."""
    posterior: str = Field(min_length=1, title="Posterior")
    """First 16 hex digits of the SHA-256 of its posterior file, which a resume changes."""
    datasets: tuple[DatasetSpec, ...] = Field(default=(), title="Further data sets")
    """Data sets besides the run's own; the vectors are compared with the activations on each."""
    worth: bool = Field(default=False, title="What vectors are worth")
    """Measure the validation loss with each vector dropped, reset, snapped to a token and
    rescaled."""
    n_worth: int = Field(default=32, ge=1, le=100_000, title="Examples")
    """Validation examples for the worth of vectors and the attention that they get; all of the
    run's if it has fewer."""
    seed: Seed = 0
    """Determines null samples, permutations and held-out documents."""
