"""What the small files of a job's folder hold, as checked types (`core.store.record_files` reads them)."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from core.store.status import Count, Moment

Finite = Annotated[float, Field(allow_inf_nan=False)]
Scores = dict[str, Finite | None]
"""Validation measures by name."""


class Record(BaseModel):
    """A JSON object that the program writes; what a later version adds is let pass."""

    model_config = ConfigDict(frozen=True, strict=True, extra="allow")


class Request(Record):
    """`spec.json`: what was requested of a job, and when."""

    kind: str = Field(min_length=1, max_length=80)
    spec: dict[str, Any]
    created: Moment
    program: str = ""


class TuneResult(Record):
    """`result.json` of a tuning run; an imported adapter has no numbers."""

    run: str | None = None
    validation: Scores = {}
    baseline: dict[str, Scores] = {}
    regularisers: dict[str, dict[str, Any]] = {}
    steps: Count | None = None
    seconds: Finite | None = None
    steps_per_second: Finite | None = None
    ending: str = ""
    sites: list[Count] = []


class MeasuredQuantity(Record):
    """A number of a run, with what is known beside it (see `core.analysis.quantities.Quantity`)."""

    value: Finite | None
    low: Finite | None = None
    high: Finite | None = None
    prior: Finite | None = None
    p: Finite | None = None
    nulls: dict[str, "MeasuredQuantity"] = {}


class MeasuredSite(Record):
    """What was measured at one site."""

    site: Count
    features: list[Finite]


class Evaluations(Record):
    """The validation loss by step."""

    step: list[Count]
    loss: list[Finite]


class MeasureResult(Record):
    """`result.json` of a job that measured a run."""

    version: str
    run: str
    posterior: str
    state: str
    model: str
    prior: str
    data: str
    method: str
    n_prompt: Count
    d_model: Count
    learning_rate: Finite | None
    seed: Count | None
    steps: Count | None
    quality: dict[str, MeasuredQuantity]
    evaluations: Evaluations
    steps_per_second: Finite | None
    sites: list[MeasuredSite]
    n_worth: Count
    worth_seconds: Finite | None


class AnyResult(Record):
    """`result.json` of other jobs: any JSON object."""


class Imported(Record):
    """In the provenance of an imported run: where it came from, and the settings nobody recorded."""

    format: str = ""
    unknown: tuple[str, ...] = Field(default=(), strict=False)


class ExampleCounts(Record):
    """How many examples were used, and why others were not."""

    used: Count
    truncated: Count = 0
    dropped: dict[str, Count] = {}


class Provenance(Record):
    """`provenance.json`: what a run was made with; `data` is what the data set's source tells of its texts."""

    examples: dict[str, ExampleCounts] = {}
    data: dict[str, Any] = {}

    imported: Imported | None = None
    hardware: str = ""
    device: str = ""
    dtype: str = ""


class Event(Record):
    """A line of `events.jsonl`."""

    time: Moment
    event: str


class StepEvent(Record):
    """A training step."""

    step: Count
    loss: Finite
    penalty: Finite | None = None


class EvaluationEvent(Record):
    """Validation after a step."""

    step: Count
    validation: Scores


class BaselineEvent(Record):
    """Validation of no prompt, the prior sample and an instruction."""

    no_prompt: Scores | None = None
    prior_sample: Scores | None = None
    instruction: Scores | None = None


RESULTS: Mapping[str, type[BaseModel]] = {"tune": TuneResult, "measure": MeasureResult}
EVENTS: Mapping[str, type[BaseModel]] = {"step": StepEvent, "evaluation": EvaluationEvent, "baseline": BaselineEvent}
"""Events of tuning runs that numbers are read from."""
