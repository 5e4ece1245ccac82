"""Which prompt-tuning job."""

from typing import Literal

from pydantic import Field

from core.specs.base import Spec
from core.specs.cloud import CloudSpec
from core.specs.dataset import DatasetSpec
from core.specs.model import ModelSpec
from core.specs.prior import AnyPrior


class TuningSpec(Spec):
    """One prompt-tuning job, whole: the same spec gives the same numbers on the same device."""

    model: ModelSpec = Field(default_factory=ModelSpec, title="Model")
    dataset: DatasetSpec = Field(default_factory=lambda: DatasetSpec(name="math"), title="Data set")
    method: Literal["soft"] = Field(
        default="soft", title="Method", description="soft: vectors before the token embeddings."
    )
    prior: AnyPrior = Field(title="Prior", description="Where the prompt starts.")
    reference: Literal["vocabulary", "activations"] = Field(
        default="vocabulary",
        title="Reference",
        description="What a fitted prior is fitted on: the vocabulary, or the data set's token activations at site 0.",
    )
    n_prompt: int = Field(default=20, ge=1, le=500, title="Prompt vectors", description="How many vectors are trained.")
    prompt_position: Literal["before_bos", "after_bos"] = Field(
        default="before_bos",
        title="Prompt position",
        description="Before or after the beginning-of-sequence token, if the model has one.",
    )
    steps: int = Field(default=200, ge=1, le=1_000_000, title="Steps", description="Optimiser steps.")
    batch_size: int = Field(default=16, ge=1, le=4096, title="Batch", description="Examples a step.")
    learning_rate: float = Field(
        default=1e-3, gt=0, le=10, title="Learning rate", description="AdamW's; the paper uses 5e-3, 1e-3 and 5e-4."
    )
    warmup_steps: int = Field(
        default=10, ge=0, le=1_000_000, title="Warm-up", description="Steps over which the rate rises linearly."
    )
    weight_decay: float = Field(
        default=0.0,
        ge=0,
        le=10,
        title="Weight decay",
        description="Pulls the prompt to zero, so it is a prior itself; 0 is none.",
    )
    clip_norm: float = Field(default=1.0, gt=0, le=1e6, title="Clip gradient at", description="Largest gradient norm.")
    max_length: int = Field(
        default=512, ge=8, le=131_072, title="Longest example", description="Tokens, the prompt vectors not counted."
    )
    evaluate_every: int = Field(
        default=25,
        ge=1,
        le=1_000_000,
        title="Evaluate every",
        description="Steps between evaluations of the validation loss.",
    )
    answer_every: int = Field(
        default=50,
        ge=1,
        le=1_000_000,
        title="Answer every",
        description="Steps between evaluations that also generate answers, which cost more than the loss.",
    )
    n_validation: int = Field(
        default=128, ge=1, le=100_000, title="Validation examples", description="The same for all runs on this data."
    )
    n_generation: int = Field(
        default=64,
        ge=0,
        le=100_000,
        title="Generated answers",
        description="Validation examples answered by greedy generation; 0 is none.",
    )
    max_new_tokens: int = Field(
        default=32, ge=1, le=4096, title="Longest answer", description="Tokens generated at most."
    )
    snapshot_every: int = Field(
        default=10, ge=1, le=1_000_000, title="Snapshot every", description="Steps between kept copies of the prompt."
    )
    checkpoint_every: int = Field(
        default=50,
        ge=1,
        le=1_000_000,
        title="Checkpoint every",
        description="Steps between points a killed job resumes from.",
    )
    seed: int = Field(
        default=0, ge=0, le=2**31 - 1, title="Seed", description="Decides the prior sample and the order of examples."
    )

    def reference_cloud(self) -> CloudSpec:
        """Return the cloud a prior is fitted on when `reference` is 'activations'."""
        return CloudSpec(model=self.model, dataset=self.dataset, sites=(0,))
