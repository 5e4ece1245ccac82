"""Which posterior to measure."""

from pydantic import Field

from core.specs.base import Spec
from core.specs.dataset import DatasetSpec


class MeasureSpec(Spec):
    """All measures of one run's posterior."""

    run: str = Field(min_length=1, title="Run", description="Id of an ended run with a posterior.")
    posterior: str = Field(
        min_length=1,
        title="Posterior",
        description="First 16 hex digits of the SHA-256 of its posterior file, another after a resume.",
    )
    datasets: tuple[DatasetSpec, ...] = Field(
        default=(),
        title="Further data sets",
        description="In whose activations vectors are placed, beside the run's own.",
    )
    worth: bool = Field(
        default=False,
        title="What vectors are worth",
        description="Measure the validation loss with each vector dropped, put back, snapped and rescaled.",
    )
    n_worth: int = Field(
        default=32,
        ge=1,
        le=100_000,
        title="Examples",
        description="Validation examples that worth is measured on; all of the run's where it has fewer.",
    )
    seed: int = Field(
        default=0, ge=0, le=2**31 - 1, title="Seed", description="Decides nulls, permutations and held-out documents."
    )
