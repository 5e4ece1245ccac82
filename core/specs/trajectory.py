"""Which sentences to follow through a model, and which statistics of their paths."""

from typing import Literal, Self

from pydantic import Field, model_validator

from core.specs.base import Spec
from core.specs.cloud import Sites, TokenFilter
from core.specs.dataset import DatasetSpec
from core.specs.model import ModelSpec

MAX_TEXTS = 50


class TrajectorySpec(Spec):
    """The residual stream of a few texts token by token, and of the answers to them."""

    model: ModelSpec = Field(default_factory=ModelSpec, title="Model", description="Frozen, and how it is run.")
    mode: Literal["read", "generate"] = Field(
        default="read", title="Do", description="read the texts, or go on with them token by token (greedily)."
    )
    texts: tuple[str, ...] = Field(
        default=(), max_length=MAX_TEXTS, title="Texts", description="Typed ones; empty: drawn from the data set."
    )
    dataset: DatasetSpec | None = Field(
        default=None,
        title="Data set",
        description="Texts are drawn from it; where answers are generated, questions of its held-out part.",
    )
    n_texts: int = Field(
        default=3, ge=1, le=MAX_TEXTS, title="Texts drawn", description="From the data set, at random."
    )
    seed: int = Field(default=0, ge=0, le=2**31 - 1, title="Seed", description="Decides which texts are drawn.")
    sites: Sites = Field(
        default="all",
        title="Sites",
        description="Places in the residual stream: k is the stream entering block k, or 'final'.",
    )
    max_length: int = Field(
        default=512, ge=2, le=131_072, title="Longest text", description="Tokens of a text that are read."
    )
    max_new_tokens: int = Field(
        default=24, ge=1, le=4096, title="Longest answer", description="Tokens generated at most."
    )
    run: str | None = Field(
        default=None,
        min_length=1,
        title="Run",
        description="Id of a tuning run of this model whose prompt stands before the texts; empty: no prompt.",
    )
    posterior: str | None = Field(
        default=None,
        min_length=1,
        title="Posterior",
        description="First 16 hex digits of the SHA-256 of the run's posterior file, another after a resume.",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if bool(self.texts) == (self.dataset is not None):
            raise ValueError("give either texts or a data set to draw them from, and not both")
        if (self.run is None) != (self.posterior is None):
            raise ValueError("run and posterior go together; give both or neither")
        if blank := [number for number, text in enumerate(self.texts, 1) if not text.strip()]:
            raise ValueError(f"text {blank[0]} of {len(self.texts)} is empty; write something or leave it out")
        return self


class PathsSpec(Spec):
    """Statistics of the paths of many documents, at sites, against nulls."""

    model: ModelSpec = Field(default_factory=ModelSpec, title="Model", description="Frozen, and how it is run.")
    dataset: DatasetSpec = Field(default_factory=DatasetSpec, title="Data set", description="The texts.")
    sites: Sites = Field(
        default=(0,),
        title="Sites",
        description="Places in the residual stream, each a point of a curve: k enters block k, or 'final'.",
    )
    n_documents: int = Field(
        default=200, ge=2, le=10_000, title="Documents", description="Drawn at random; too short ones are left out."
    )
    max_length: int = Field(
        default=128, ge=8, le=4096, title="Longest path", description="Tokens of a document that are read."
    )
    tokens: TokenFilter = Field(default_factory=TokenFilter, title="Tokens", description="Which of them count.")
    n_draws: int = Field(default=20, ge=5, le=1000, title="Null draws", description="Of each null, a document.")
    seed: int = Field(
        default=0, ge=0, le=2**31 - 1, title="Seed", description="Decides documents, nulls and bootstrap draws."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.tokens.pad:
            raise ValueError("padding is no part of a path; leave pad off")
        return self
