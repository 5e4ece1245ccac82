"""Which tuned prompts to read once more, and on what."""

from pydantic import Field

from core.specs.base import Spec
from core.specs.dataset import DatasetSpec

_POSTERIOR = "First 16 hex digits of the SHA-256 of its posterior file, which a resume changes."


class GeneraliseSpec(Spec, frozen=True):
    """A run's prompt, read on further data sets without tuning."""

    run: str = Field(min_length=1, title="Run")
    """Id of a finished run that has a posterior."""
    posterior: str = Field(min_length=1, title="Posterior", description=_POSTERIOR)
    datasets: tuple[DatasetSpec, ...] = Field(min_length=1, title="Data sets")
    """Data sets whose validation examples are read, as many as the run has."""


class LineSpec(Spec, frozen=True):
    """The validation loss along the straight line between the prompts of two runs."""

    first: str = Field(min_length=1, title="First run")
    """Id of a finished run; the loss is measured on its validation examples."""
    first_posterior: str = Field(min_length=1, title="Its posterior", description=_POSTERIOR)
    second: str = Field(min_length=1, title="Second run")
    """Id of a finished run of the same model, with as many vectors at the same sites."""
    second_posterior: str = Field(min_length=1, title="Its posterior", description=_POSTERIOR)
    n_points: int = Field(default=11, ge=3, le=201, title="Points")
    """Prompts on the line, evenly spaced, including its two ends."""


class PenaltiesSpec(Spec, frozen=True):
    """What every regulariser measures of a run, whether the run was tuned with it or not."""

    run: str = Field(min_length=1, title="Run")
    """Id of a finished run that has a posterior."""
    posterior: str = Field(min_length=1, title="Posterior", description=_POSTERIOR)


class WordsSpec(Spec, frozen=True):
    """The tokens that a run's prompt vectors are near to, before and after, and what the model makes of them."""

    run: str = Field(min_length=1, title="Run")
    """Id of a finished run that has a posterior."""
    posterior: str = Field(min_length=1, title="Posterior", description=_POSTERIOR)
    n_tokens: int = Field(default=3, ge=1, le=20, title="Tokens")
    """How many tokens are named per vector, each once."""
