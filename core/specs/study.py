"""Which study: its model, texts, tasks and sizes."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field

from core.specs.base import JsonObject, Seed, Spec
from core.specs.cloud import CloudSpec
from core.specs.dataset import DatasetSpec
from core.specs.model import FrozenModel, ModelSpec
from core.specs.tuning import PAPER_SITES, PromptSites

PAPER_MODEL = "meta-llama/Llama-3.2-1B"
ARITHMETIC = (
    "arithmetic__add_or_sub",
    "arithmetic__add_sub_multiple",
    "arithmetic__div",
    "arithmetic__mixed",
    "arithmetic__mul",
    "arithmetic__mul_div_multiple",
)
"""Six tasks; the paper does not name its own."""


class StudySpec(Spec, frozen=True):
    """The model, texts, tasks and sizes of a reproduction."""

    seed_fields: ClassVar[tuple[str, ...]] = ("n_seeds", "n_deep_seeds", "n_dose_seeds", "n_control_seeds")
    """Numbers of runs per arm."""
    SIZES: ClassVar[Mapping[str, JsonObject]] = {
        "quick": {
            "n_texts": 150,
            "n_documents": 60,
            "n_sites": 8,
            "n_seeds": 2,
            "n_deep_seeds": 2,
            "n_dose_seeds": 2,
            "n_control_seeds": 2,
            "n_examples": 240,
            "steps": 20,
            "deep_steps": 20,
            "patience": 3,
            "n_evaluations": 4,
            "batch_size": 4,
            "n_validation": 24,
            "n_generation": 4,
            "max_new_tokens": 12,
        },
        "standard": {},
        "paper": {
            "model": {"name": PAPER_MODEL},
            "encoder": {"name": "t5-base"},
            "texts": {"name": "c4"},
            "n_texts": 1000,
            "n_vocabulary": 20_000,
            "rows": 5000,
            "max_length": 512,
            "n_examples": 10_000,
            "longest_example": 512,
            "steps": 2000,
            "deep_steps": 2000,
            "n_evaluations": 40,
            "n_generation": 64,
            "max_new_tokens": 32,
            "soft_task": {"name": "squad"},
            "deep_task": {"name": "squad"},
            "prompt_sites": PAPER_SITES,
            "deep_rate": 1e-3,
            "deep_rate_unit": "absolute",
        },
    }
    """What differs from the defaults in a quick study, the standard one (nothing) and the paper's
    setting."""

    model: FrozenModel = ModelSpec()
    encoder: ModelSpec = Field(default=ModelSpec(name="all-minilm-l6-v2"), title="Encoder")
    """Encoder for Figure 5; the paper uses t5-base."""
    texts: DatasetSpec = Field(default=DatasetSpec(), title="Texts")
    """Plain texts; the paper uses C4."""
    questions: DatasetSpec = Field(default=DatasetSpec(name="squad"), title="Questions")
    """Questions with answers; the paper uses SQuAD."""
    tasks: tuple[str, ...] = Field(default=ARITHMETIC, min_length=2, max_length=11, title="Tasks")
    """Modules of math for Figure 5; all other figures use the first one as their arithmetic."""
    n_texts: int = Field(default=300, ge=10, le=100_000, title="Texts per data set")
    """How many texts to read from each data set."""
    n_vocabulary: int = Field(default=5000, ge=50, le=200_000, title="Vocabulary")
    """How many rows of the embedding matrix maps of the vocabulary are fitted on."""
    n_documents: int = Field(default=200, ge=4, le=10_000, title="Documents")
    """How many documents' trajectories are measured."""
    n_sites: int = Field(default=1000, ge=1, le=1000, title="Sites")
    """Sites of Figure 4, evenly spaced; all of them if the model has no more."""
    rows: int = Field(default=3000, ge=50, le=200_000, title="Points")
    """Points of each cloud."""
    max_length: int = Field(default=256, ge=8, le=131_072, title="Longest text")
    """How many tokens of each text are read."""
    n_seeds: int = Field(default=5, ge=1, le=100, title="Seeds")
    """Runs per prior and learning rate of soft prompts."""
    n_deep_seeds: int = Field(default=8, ge=1, le=100, title="Seeds of deep prompts")
    """Runs per prior and learning rate of deep prompts."""
    n_dose_seeds: int = Field(default=3, ge=1, le=100, title="Seeds of regularised prompts")
    """Runs per regulariser and dose."""
    n_control_seeds: int = Field(default=3, ge=1, le=100, title="Seeds of controls")
    """Runs per prior on random labels."""
    n_examples: int = Field(default=2000, ge=10, le=1_000_000, title="Examples")
    """Examples of each task that prompts are tuned on."""
    longest_example: int = Field(default=256, ge=8, le=131_072, title="Longest example")
    """Tokens of a task's example; longer examples are left out."""
    steps: int = Field(default=800, ge=1, le=100_000, title="Steps of soft prompts")
    """Most optimiser steps of a run; with patience 0, the exact number."""
    deep_steps: int = Field(default=720, ge=1, le=100_000, title="Steps of deep prompts")
    """The same for a run with deep prompts."""
    patience: int = Field(default=4, ge=0, le=1000, title="Patience")
    """Evaluations without improvement after which a run ends; 0: a fixed number of steps."""
    improvement: float = Field(default=0.01, ge=0, le=100, title="Smallest improvement")
    """Smallest decrease of the validation loss that counts for the patience, in nats per label token."""
    batch_size: int = Field(default=16, ge=1, le=4096, title="Batch size")
    """Examples per step."""
    n_evaluations: int = Field(default=32, ge=1, le=1000, title="Evaluations")
    """Evaluations of the validation loss, evenly spaced over the longest run."""
    n_validation: int = Field(default=128, ge=1, le=100_000, title="Validation examples")
    """Validation examples per task, the same for all its runs."""
    n_generation: int = Field(default=32, ge=0, le=100_000, title="Generated answers")
    """How many of the validation examples are answered; 0: none."""
    max_new_tokens: int = Field(default=16, ge=1, le=4096, title="Longest answer")
    """How many tokens are generated at most."""
    soft_task: DatasetSpec = Field(default=DatasetSpec(name="math", module=ARITHMETIC[0]), title="Task of soft prompts")
    """Task on which priors and learning rates are compared; the paper uses SQuAD."""
    deep_task: DatasetSpec = Field(default=DatasetSpec(name="math", module=ARITHMETIC[0]), title="Task of deep prompts")
    """Task on which priors of deep prompts are compared; the paper uses SQuAD."""
    prompt_sites: PromptSites = (-3, -2, -1)
    deep_rate: float = Field(default=0.03, gt=0, le=10, title="Learning rate of deep prompts")
    """The paper uses 0.001, in absolute units."""
    deep_rate_unit: Literal["absolute", "relative"] = Field(
        default="relative", title="Learning-rate unit of deep prompts"
    )
    """relative: the root mean square of the prior sample, without which long vectors hardly
    turn."""
    seed: Seed = 0
    """Determines texts, points and null samples."""

    @classmethod
    def asked(cls, size: str = "standard", **given: Any) -> "StudySpec":
        """Return a study of one of `SIZES` with the given fields.

        Raises:
            BadRequest: with each wrong field.
        """
        return cls.parse({**cls.SIZES[size], **given})

    @property
    def without_seeds(self) -> "StudySpec":
        """Return the study with one seed of everything: more seeds do not make another study."""
        return self.model_copy(update=dict.fromkeys(self.seed_fields, 1))

    def with_seeds(self, n_seeds: int) -> "StudySpec":
        """Return the study with at least so many seeds of every arm but the controls."""
        fields = [name for name in self.seed_fields if name != "n_control_seeds"]
        return self.model_copy(update={name: max(n_seeds, getattr(self, name)) for name in fields})

    @property
    def arithmetic(self) -> DatasetSpec:
        """Return the first of the tasks."""
        return DatasetSpec(name="math", module=self.tasks[0])

    def data(self, dataset: DatasetSpec) -> DatasetSpec:
        """Return a data set in the study's size."""
        return dataset.model_copy(update={"samples": self.n_texts, "seed": self.seed})

    def cloud(self, dataset: DatasetSpec, **more: Any) -> CloudSpec:
        """Return the spec of a data set's activations, by default at every site."""
        asked = {"model": self.model, "dataset": self.data(dataset), "rows": self.rows, "seed": self.seed}
        return CloudSpec.parse({**asked, "max_length": self.max_length, **more})


class StudyItemSpec(Spec, frozen=True):
    """One thing that a study makes: a figure, a table or a claim."""

    study: StudySpec = Field(default=StudySpec(), title="Study")
    """The study that it belongs to."""
    item: str = Field(title="Item", min_length=1, max_length=40)
    """Its name, such as figure-6, table-quality or claim-5."""
