"""Which study: model, texts, tasks and sizes of everything that is reproduced on them."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field

from core.specs.base import Spec
from core.specs.cloud import CloudSpec
from core.specs.dataset import DatasetSpec
from core.specs.model import ModelSpec
from core.specs.tuning import PAPER_SITES, check_prompt_sites

ARITHMETIC = (
    "arithmetic__add_or_sub",
    "arithmetic__add_sub_multiple",
    "arithmetic__div",
    "arithmetic__mixed",
    "arithmetic__mul",
    "arithmetic__mul_div_multiple",
)
"""Six tasks; the paper does not name its own."""


class StudySpec(Spec):
    """What a reproduction is made on."""

    quick_sizes: ClassVar[dict[str, Any]] = {
        "n_texts": 150,
        "n_vocabulary": 5000,
        "n_documents": 60,
        "rows": 3000,
        "n_sites": 8,
        "n_seeds": 3,
        "n_examples": 240,
        "longest_example": 256,
        "steps": 24,
        "n_evaluations": 4,
        "batch_size": 4,
        "n_validation": 24,
        "n_generation": 8,
        "max_new_tokens": 12,
        "soft_task": {"name": "math"},
        "prompt_sites": (-3, -2, -1),
    }
    """Those of `--quick`; the paper's 1,000 texts, tasks and blocks else."""

    model: ModelSpec = Field(default_factory=ModelSpec, title="Model", description="Frozen, and how it is run.")
    encoder: ModelSpec = Field(
        default_factory=lambda: ModelSpec(name="all-minilm-l6-v2"),
        title="Encoder",
        description="Of Figure 5; the paper's is t5-base.",
    )
    texts: DatasetSpec = Field(
        default_factory=DatasetSpec, title="Texts", description="Plain ones; the paper's are of C4."
    )
    questions: DatasetSpec = Field(
        default_factory=lambda: DatasetSpec(name="squad"), title="Questions", description="The paper's are of SQuAD."
    )
    tasks: tuple[str, ...] = Field(
        default=ARITHMETIC,
        min_length=2,
        max_length=11,
        title="Tasks",
        description="Modules of math, in Figure 5; the first is the arithmetic of all other figures.",
    )
    n_texts: int = Field(default=1000, ge=10, le=100_000, title="Texts of each", description="Of every data set.")
    n_vocabulary: int = Field(
        default=20_000, ge=50, le=200_000, title="Vocabulary", description="Rows that maps of it are fitted on."
    )
    n_documents: int = Field(default=200, ge=4, le=10_000, title="Documents", description="Whose paths are measured.")
    n_sites: int = Field(
        default=1000,
        ge=1,
        le=1000,
        title="Sites",
        description="Of Figure 4, evenly spread; all where there are no more.",
    )
    rows: int = Field(default=5000, ge=50, le=200_000, title="Points", description="Of each cloud.")
    max_length: int = Field(default=512, ge=8, le=131_072, title="Longest text", description="In tokens.")
    n_seeds: int = Field(default=5, ge=1, le=100, title="Seeds", description="Runs of each prior and rate.")
    n_examples: int = Field(
        default=2000, ge=10, le=1_000_000, title="Examples", description="Of each task that is tuned on."
    )
    longest_example: int = Field(
        default=512,
        ge=8,
        le=131_072,
        title="Longest example",
        description="Of a task, in tokens; longer ones are left out.",
    )
    steps: int = Field(default=200, ge=1, le=100_000, title="Steps", description="Of each run.")
    batch_size: int = Field(default=16, ge=1, le=4096, title="Batch", description="Examples a step.")
    n_evaluations: int = Field(
        default=8, ge=1, le=1000, title="Evaluations", description="Of the validation loss, evenly over a run."
    )
    n_validation: int = Field(
        default=128, ge=1, le=100_000, title="Validation examples", description="The same for all runs of a task."
    )
    n_generation: int = Field(
        default=64, ge=0, le=100_000, title="Generated answers", description="Of the validation examples; 0 is none."
    )
    max_new_tokens: int = Field(
        default=32, ge=1, le=4096, title="Longest answer", description="Tokens generated at most."
    )
    soft_task: DatasetSpec = Field(
        default_factory=lambda: DatasetSpec(name="squad"),
        title="Task of soft prompts",
        description="Of the comparison of priors and rates; the paper's is SQuAD.",
    )
    prompt_sites: Annotated[tuple[int, ...], BeforeValidator(check_prompt_sites)] = Field(
        default=PAPER_SITES, title="Prompted blocks", description="Of deep prompts; negative ones count from the last."
    )
    deep_rate: float = Field(
        default=0.03, gt=0, le=10, title="Learning rate of deep prompts", description="The paper's is 0.001, absolute."
    )
    deep_rate_unit: Literal["absolute", "relative"] = Field(
        default="relative",
        title="Rate of deep prompts counts in",
        description="relative: the prior sample's root mean square, without which vectors that are long hardly turn.",
    )
    seed: int = Field(default=0, ge=0, le=2**31 - 1, title="Seed", description="Decides texts, points and nulls.")

    @classmethod
    def asked(cls, quick: bool, **given: Any) -> "StudySpec":
        """Return a study with what is given, and quick sizes for the rest if that is asked for.

        Raises:
            BadRequest: with each wrong field.
        """
        return cls.parse({**(cls.quick_sizes if quick else {}), **given})

    @property
    def arithmetic(self) -> DatasetSpec:
        """Return the first of the tasks."""
        return DatasetSpec(name="math", module=self.tasks[0])

    def data(self, dataset: DatasetSpec) -> DatasetSpec:
        """Return a data set in the study's size."""
        return dataset.model_copy(update={"samples": self.n_texts, "seed": self.seed})

    def cloud(self, dataset: DatasetSpec, **more: Any) -> CloudSpec:
        """Return the request for activations of a data set, at every site unless told otherwise."""
        asked = {"model": self.model, "dataset": self.data(dataset), "rows": self.rows, "seed": self.seed}
        return CloudSpec.parse({**asked, "max_length": self.max_length, **more})


class StudyItemSpec(Spec):
    """One thing that a study gives: a figure, a table, a claim."""

    study: StudySpec = Field(default_factory=StudySpec, title="Study", description="The setting it is made in.")
    item: str = Field(
        title="Item", min_length=1, max_length=40, description="Such as figure-6, table-quality or claim-5."
    )
