"""What a reproduction is made on: model, texts, tasks and sizes; and how it has things computed."""

from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

from pydantic import Field

from core.errors import Failed
from core.specs import CloudSpec, DatasetSpec, ModelSpec, Spec
from core.store import JobFolder, Store

T = TypeVar("T")
Perform = Callable[[str, Spec], JobFolder]
"""Has a job of a kind done for a spec and returns its folder."""

ARITHMETIC = (
    "arithmetic__add_or_sub",
    "arithmetic__add_sub_multiple",
    "arithmetic__div",
    "arithmetic__mixed",
    "arithmetic__mul",
    "arithmetic__mul_div_multiple",
)
"""Six tasks; the paper does not name its own."""
SENTENCES = (
    "The old bridge was closed for repairs, so we walked along the river instead.",
    "Scientists found that the new material conducts heat better than copper.",
    "She put the letter back into the drawer and never spoke of it again.",
)
"""Followed in Figures 1 and 2; the paper does not print its own."""


class StudySpec(Spec):
    """What a reproduction is made on."""

    quick_sizes: ClassVar[dict[str, int]] = {
        "n_texts": 150,
        "n_vocabulary": 5000,
        "n_documents": 60,
        "rows": 3000,
        "n_sites": 8,
    }
    """Those of `--quick`; the paper's 1,000 texts else."""

    model: ModelSpec = Field(default_factory=ModelSpec, title="Model")
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
        default=ARITHMETIC, min_length=2, max_length=11, title="Tasks", description="Modules of math, in Figure 5."
    )
    n_texts: int = Field(default=1000, ge=10, le=100_000, title="Texts of each", description="Of every data set.")
    n_vocabulary: int = Field(
        default=20_000, ge=50, le=200_000, title="Vocabulary", description="Rows that Figure 1 is fitted on."
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
    seed: int = Field(default=0, ge=0, le=2**31 - 1, title="Seed", description="Decides texts, points and nulls.")

    @classmethod
    def asked(cls, quick: bool, **given: Any) -> "StudySpec":
        """Return a study with what is given, and quick sizes for the rest if that is asked for.

        Raises:
            BadRequest: with each wrong field.
        """
        return cls.parse({**(cls.quick_sizes if quick else {}), **given})

    def data(self, dataset: DatasetSpec) -> DatasetSpec:
        """Return a data set in the study's size."""
        return dataset.model_copy(update={"samples": self.n_texts, "seed": self.seed})

    def cloud(self, dataset: DatasetSpec, **more: Any) -> CloudSpec:
        """Return the request for activations of a data set, at every site unless told otherwise."""
        asked = {"model": self.model, "dataset": self.data(dataset), "rows": self.rows, "seed": self.seed}
        return CloudSpec.parse({**asked, "max_length": self.max_length, **more})


class Bench:
    """What a figure is made with.

    Attributes:
        spec: of the study.
        store: the cache folder.
        perform: has jobs done.
    """

    def __init__(self, spec: StudySpec, store: Store, perform: Perform) -> None:
        """Keep what is given."""
        self.spec, self.store, self.perform = spec, store, perform

    def made(self, find: Callable[[Any, Store], T | None], kind: str, spec: Spec) -> T:
        """Return what a job keeps, made now if it is not there.

        Raises:
            Failed: it is gone at once; or as the job ended.
        """
        found = find(spec, self.store)
        if found is None:
            job = self.perform(kind, spec)
            found = find(spec, self.store)
            if found is None:
                raise Failed(f"{job.id} succeeded but what it made is gone from the store; ask for it again.")
        return found
