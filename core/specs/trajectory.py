"""Which texts to follow through a model, and which statistics of their trajectories."""

from typing import Literal, Self

from pydantic import Field, model_validator

from core.specs.base import Seed, Spec
from core.specs.cloud import Sites, TokenFilter
from core.specs.dataset import DatasetSpec
from core.specs.model import FrozenModel, ModelSpec

MAX_TEXTS = 50


class TrajectorySpec(Spec, frozen=True):
    """The residual stream of a few texts, token by token, and of the model's answers to them."""

    model: FrozenModel = ModelSpec()
    mode: Literal["read", "generate"] = Field(default="read", title="Mode")
    """read: only read the texts; generate: continue them greedily, token by token."""
    texts: tuple[str, ...] = Field(default=(), max_length=MAX_TEXTS, title="Texts")
    """Texts to follow; empty: draw them from the data set."""
    dataset: DatasetSpec | None = Field(default=None, title="Data set")
    """Where texts are drawn from; to generate answers, questions are drawn from its held-out part."""
    n_texts: int = Field(default=3, ge=1, le=MAX_TEXTS, title="Texts drawn")
    """How many texts to draw from the data set at random."""
    seed: Seed = 0
    """Determines which texts are drawn."""
    sites: Sites = "all"
    max_length: int = Field(default=512, ge=2, le=131_072, title="Longest text")
    """How many tokens of each text are read."""
    max_new_tokens: int = Field(default=24, ge=1, le=4096, title="Longest answer")
    """How many tokens are generated at most."""
    run: str | None = Field(default=None, min_length=1, title="Run")
    """Id of a tuning run of this model; its tuned prompt goes before the texts; empty: no
    prompt."""
    posterior: str | None = Field(default=None, min_length=1, title="Posterior")
    """First 16 hex digits of the SHA-256 of the run's posterior file, which a resume changes."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if bool(self.texts) == (self.dataset is not None):
            raise ValueError("give either texts or a data set to draw them from, and not both")
        if (self.run is None) != (self.posterior is None):
            raise ValueError("run and posterior go together; give both or neither")
        if blank := [number for number, text in enumerate(self.texts, 1) if not text.strip()]:
            raise ValueError(f"text {blank[0]} of {len(self.texts)} is empty; write something or remove it")
        return self


class PathsSpec(Spec, frozen=True):
    """Statistics of the trajectories of many documents, at sites, against null distributions."""

    model: FrozenModel = ModelSpec()
    dataset: DatasetSpec = Field(default=DatasetSpec(), title="Data set")
    """Where the documents come from."""
    sites: Sites = (0,)
    n_documents: int = Field(default=200, ge=2, le=10_000, title="Documents")
    """How many documents to draw at random; documents that are too short are left out."""
    max_length: int = Field(default=128, ge=8, le=4096, title="Longest trajectory")
    """How many tokens of each document are read."""
    tokens: TokenFilter = Field(default=TokenFilter(), title="Tokens")
    """Which tokens count."""
    n_draws: int = Field(default=20, ge=5, le=1000, title="Null samples")
    """How many samples of each null distribution are drawn per document."""
    seed: Seed = 0
    """Determines documents, null samples and bootstrap draws."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.tokens.pad:
            raise ValueError("padding is not part of a trajectory; leave pad off")
        return self
