"""Which texts."""

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from core.errors import BadRequest
from core.specs.base import Choices, PathText, Seed, Spec
from core.specs.reading import is_object

DATASETS = {
    "squad": "core.sources.squad",
    "c4": "core.sources.c4",
    "news": "core.sources.news",
    "math": "core.sources.mathematics",
    "file": "core.sources.own_file",
}
"""Each data set with the module that finds it (docs/adding-a-data-set.md)."""
DEFAULT_MODULE = "arithmetic__add_or_sub"
DEFAULT_DIFFICULTY = "train-easy"
_WITH_DETAIL = {"math": "module", "file": "path", "squad": "path", "c4": "path"}
"""What may follow the name of a data set and a colon."""


def check_name(name: str) -> str:
    """Return the name of a known data set.

    Raises:
        ValueError: there is no such data set.
    """
    if name not in DATASETS:
        raise ValueError(f"there is no such data set; choose one of: {', '.join(DATASETS)}")
    return name


DatasetName = Annotated[str, AfterValidator(check_name), Choices(DATASETS)]


def dataset_fields(text: str) -> dict[str, str]:
    """Return the fields that a text such as 'squad' or 'math:algebra__linear_1d' names.

    Columns of a file follow a question mark: 'file:a.csv?prompt_column=q&answer_column=a'.

    Raises:
        BadRequest: a data set that takes nothing after a colon.
    """
    name, colon, detail = text.strip().partition(":")
    if columns := re.search(r"\?((?:&?(?:text|prompt|answer)_column=[^&]*)+)$", detail):
        detail = detail[: columns.start()]
    if colon and name not in _WITH_DETAIL:
        raise BadRequest(
            f"The data set {text.strip()!r} has something after a colon, which only {', '.join(_WITH_DETAIL)} take; "
            f"write {name!r}."
        )
    pairs = [pair.partition("=") for pair in str(columns[1]).split("&")] if columns else []
    return {"name": name, **({_WITH_DETAIL[name]: detail} if colon else {}), **{key: value for key, _, value in pairs}}


class DatasetSpec(Spec, frozen=True):
    """A data set: which texts, how many, and how they are split."""

    name: DatasetName = Field(default="news", title="Data set")
    """squad, c4, news (a stand-in for C4 that needs no hub), math (DeepMind's generator) or file
    (your own texts)."""
    path: PathText | None = Field(default=None, title="File")
    """Local file to read instead: .txt, .jsonl, .csv, .parquet or SQuAD JSON; 'file' needs one."""
    samples: int = Field(default=1000, ge=2, le=1_000_000, title="Samples")
    """How many documents or questions to draw."""
    seed: Seed = Field(default=0, title="Data seed")
    """Determines which samples are drawn and how they are split."""
    validation_fraction: float = Field(default=0.2, gt=0, lt=1, title="Validation share")
    """Share of the documents held out for validation."""
    module: str | None = Field(
        default=None, title="Module", description=f"math only: one of its 56 modules; default {DEFAULT_MODULE}."
    )
    difficulty: Literal["train-easy", "train-medium", "train-hard"] | None = Field(
        default=None, title="Difficulty", description=f"math only; default {DEFAULT_DIFFICULTY}."
    )
    text_column: str | None = Field(default=None, title="Text column")
    """For .jsonl, .csv and .parquet files: the column that holds the text; default 'text'."""
    prompt_column: str | None = Field(default=None, title="Prompt column")
    """For files of questions: the column that holds the question; needs an answer column."""
    answer_column: str | None = Field(default=None, title="Answer column")
    """For files of questions: the column that holds the answer; needs a prompt column."""

    @model_validator(mode="before")
    @classmethod
    def _fill_math(cls, data: object) -> object:
        if not is_object(data) or data.get("name") != "math":
            return data
        module, difficulty = data.get("module") or DEFAULT_MODULE, data.get("difficulty") or DEFAULT_DIFFICULTY
        return {**data, "module": module, "difficulty": difficulty}

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.name != "math" and (self.module or self.difficulty):
            raise ValueError(f"module and difficulty belong to the data set 'math', not {self.name!r}; leave them out")
        if self.name == "file" and not self.path:
            raise ValueError("the data set 'file' needs a path; give the file's location")
        if self.name in ("math", "news") and self.path:
            raise ValueError(f"{self.name!r} takes no path; use the data set 'file' for your own texts")
        if (self.prompt_column is None) != (self.answer_column is None):
            raise ValueError("prompt_column and answer_column go together; give both or neither")
        if self.name != "file" and (self.text_column or self.prompt_column):
            raise ValueError(f"columns belong to the data set 'file', not {self.name!r}; leave them out")
        return self

    @property
    def label(self) -> str:
        """Return a short name for legends and tables."""
        if self.name == "math":
            return f"math · {self.module}"
        if self.name == "file" and self.path:
            return self.path.replace("\\", "/").rsplit("/", 1)[-1]
        return self.name
