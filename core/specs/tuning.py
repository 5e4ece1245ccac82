"""Which prompt-tuning job."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, SerializerFunctionWrapHandler, model_serializer

from core.specs.base import JsonObject, Seed, Spec
from core.specs.cloud import CloudSpec
from core.specs.dataset import DatasetSpec
from core.specs.model import FrozenModel, ModelSpec
from core.specs.prior import AnyPrior
from core.specs.reading import is_list, is_object

Scoring = Literal["auto", "exact", "squad", "numeric"]
"""How generated answers are compared with the accepted ones."""
PAPER_SITES = (0, -3, -2, -1)
"""The token embeddings and the inputs of the last three blocks."""


def check_prompt_sites(sites: object) -> object:
    """Return block numbers as a tuple, from a list or a text such as '0,-3,-2,-1'.

    Raises:
        ValueError: one of them is not an integer, or the list is empty. The bounds depend on the
            model; see `core.lm.sites`.
    """
    if isinstance(sites, str):
        sites = sites.split(",")
    if not is_list(sites) or not sites:
        raise ValueError("prompt_sites must be at least one block number, such as 0,-3,-2,-1")
    try:
        return tuple(int(site) for site in sites)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(
            "prompt_sites must be block numbers such as 0,-3,-2,-1; negative ones count from the last"
        ) from None


def weight_field(where: str, title: str, description: str) -> Any:
    """Return the field of a regulariser's weight; 0 is none.

    Args:
        where: 'module:class' in `core.tuning.regularisers`, imported when the weight is above 0.
        title: label.
        description: help.
    """
    extra: Any = {"regulariser": f"core.tuning.regularisers.{where}"}
    return Field(default=0.0, ge=0, le=1e6, title=title, description=description, json_schema_extra=extra)


PromptSites = Annotated[
    tuple[int, ...],
    BeforeValidator(check_prompt_sites),
    Field(
        title="Prompted blocks",
        description="Deep prompts: block numbers; negative ones count from the last, 0 is the token embeddings.",
    ),
]


class TuningSpec(Spec, frozen=True):
    """One prompt-tuning job; the same spec gives the same numbers on the same device."""

    deep_fields: ClassVar[tuple[str, ...]] = ("prompt_sites", "deep_form", "prior_fits", "cache_trunk")
    """Fields without a meaning for soft prompts."""
    later_fields: ClassVar[tuple[str, ...]] = ("rate_unit", "scoring", "patience", "improvement", "labels", "clip_norm")
    """Fields that JSON leaves out at their defaults, which runs had from before there was a
    choice."""

    model: FrozenModel = ModelSpec()
    dataset: DatasetSpec = Field(default=DatasetSpec(name="math"), title="Data set")
    """What the prompt is trained and validated on."""
    method: Literal["soft", "deep"] = Field(default="soft", title="Method")
    """soft: vectors before the token embeddings; deep: vectors before the inputs of several
    blocks."""
    prompt_sites: PromptSites = PAPER_SITES
    deep_form: Literal["cut", "kept"] = Field(default="cut", title="Deep prompts")
    """cut: taken out again after each prompted block, as in the paper; kept: they stay in the
    sequence and are replaced at each prompted block."""
    prior_fits: Literal["each", "first"] = Field(default="each", title="Fit prior at")
    """Deep prompts: fit the prior at each prompted block on that block's own activations, or once
    at the first."""
    cache_trunk: bool = Field(default=True, title="Cache the frozen trunk")
    """Deep prompts: compute the stream that enters the first prompted block once per example and
    store it in the cache."""
    prior: AnyPrior = Field(title="Prior")
    """Distribution that the initial prompt is drawn from."""
    reference: Literal["vocabulary", "activations"] = Field(default="vocabulary", title="Reference")
    """What the prior is fitted on at site 0: the vocabulary, or the data set's token activations.
    At other sites it is always fitted on the activations there."""
    n_prompt: int = Field(default=20, ge=1, le=500, title="Prompt vectors")
    """How many vectors are trained."""
    prompt_position: Literal["before_bos", "after_bos"] = Field(default="before_bos", title="Prompt position")
    """Before or after the beginning-of-sequence token, if the model has one."""
    instruction: str = Field(default="", max_length=2000, title="Instruction")
    """Baseline: this text before each example instead of a prompt; empty: one that suits the
    data."""
    steps: int = Field(default=200, ge=1, le=1_000_000, title="Steps")
    """Optimiser steps; with a patience above 0, the longest length."""
    patience: int = Field(default=0, ge=0, le=1_000_000, title="Patience")
    """Evaluations without improvement after which a run ends; 0: a fixed number of steps."""
    improvement: float = Field(default=0.01, ge=0, le=100, title="Smallest improvement")
    """Smallest decrease of the validation loss that counts for the patience, in nats per label token."""
    labels: Literal["true", "random"] = Field(default="true", title="Answers")
    """random: a control, which trains on answers permuted among the training examples; the
    validation examples keep theirs."""
    batch_size: int = Field(default=16, ge=1, le=4096, title="Batch size")
    """Examples per step."""
    learning_rate: float = Field(default=1e-3, gt=0, le=10, title="Learning rate")
    """Of AdamW; the paper uses 5e-3, 1e-3 and 5e-4."""
    rate_unit: Literal["absolute", "relative"] = Field(default="absolute", title="Learning-rate unit")
    """absolute: the vectors' own units, as in the paper; relative: the root mean square of each
    site's prior sample, so that long vectors turn as fast as short ones."""
    warmup_steps: int = Field(default=10, ge=0, le=1_000_000, title="Warm-up")
    """Steps over which the learning rate rises linearly."""
    weight_decay: float = Field(default=0.0, ge=0, le=10, title="Weight decay")
    """Pulls the prompt towards zero, and so acts as a prior itself; 0: none."""
    l2_weight: float = weight_field(
        "distance:Distance",
        "Stay near the initial prompt",
        "Weight of the squared distance from the prior sample over the sample's squared length: 1 is a prompt that "
        "moved as far as the sample is long.",
    )
    log_prior_weight: float = weight_field(
        "likelihood:NegativeLogPrior",
        "Stay likely (MAP)",
        "Weight of the negative log prior density per coordinate (nats); only for priors with a density.",
    )
    repulsion_weight: float = weight_field(
        "repulsion:Repulsion",
        "Away from tokens",
        "Weight of the cosine similarity to the nearest vocabulary rows, by a soft maximum of temperature 0.02; at "
        "sites other than 0, to the nearest activations there.",
    )
    attraction_weight: float = weight_field(
        "attraction:Attraction",
        "Into the cloud",
        "Weight of the squared Mahalanobis distance per coordinate from the data's activations at the site; about 1 "
        "inside the cloud.",
    )
    spread_weight: float = weight_field(
        "spread:Spread",
        "Apart from each other",
        "Weight of the negative log-determinant of the vectors' cosine similarities, per vector: 0 at right angles, "
        "at most 4.6 where all are equal.",
    )
    clip_norm: float = Field(default=0.0, ge=0, le=1e6, title="Clip gradient at")
    """Largest norm of each site's gradient, in the site's learning-rate units; 0: none, as in the
    paper."""
    max_length: int = Field(default=512, ge=8, le=131_072, title="Longest example")
    """Tokens, not counting the prompt vectors."""
    evaluate_every: int = Field(default=25, ge=1, le=1_000_000, title="Evaluate every")
    """Steps between evaluations of the validation loss."""
    answer_every: int = Field(default=50, ge=1, le=1_000_000, title="Answer every")
    """Steps between evaluations that also generate answers, which take longer than the loss; if only
    the last one does, the prior sample generates none."""
    n_validation: int = Field(default=128, ge=1, le=100_000, title="Validation examples")
    """The same for all runs on this data."""
    n_generation: int = Field(default=64, ge=0, le=100_000, title="Generated answers")
    """Validation examples that are answered by greedy generation; 0: none."""
    scoring: Scoring = Field(default="auto", title="Compare answers")
    """exact: as written; squad: without case, punctuation and articles; numeric: as numbers; auto:
    exact for mathematics, squad for SQuAD, and for a file by what its answers are."""
    max_new_tokens: int = Field(default=32, ge=1, le=4096, title="Longest answer")
    """How many tokens are generated at most; fewer where the model's context ends."""
    snapshot_every: int = Field(default=10, ge=1, le=1_000_000, title="Snapshot every")
    """Steps between stored copies of the prompt."""
    checkpoint_every: int = Field(default=50, ge=1, le=1_000_000, title="Checkpoint every")
    """Steps between checkpoints, from which an interrupted job resumes."""
    seed: Seed = 0
    """Determines the prior sample and the order of examples."""

    @classmethod
    def regularisers(cls) -> dict[str, str]:
        """Return the field of each regulariser's weight, with 'module:class' of the regulariser."""
        extras = {name: field.json_schema_extra for name, field in cls.model_fields.items()}
        return {name: str(extra["regulariser"]) for name, extra in extras.items() if is_object(extra)}

    def activations(self, *sites: int) -> CloudSpec:
        """Return the spec of the training documents' token activations at sites, for fitting priors."""
        return CloudSpec(model=self.model, dataset=self.dataset, sites=sites, part="training")

    @model_serializer(mode="wrap")
    def _leave_out_unused(self, handler: SerializerFunctionWrapHandler) -> JsonObject:
        """Leave out fields without effect, so that they do not distinguish two specs."""
        data = handler(self)
        unused = [name for name in self.regularisers() if data.get(name) == 0]
        unused += [name for name in self.later_fields if getattr(self, name) == type(self).model_fields[name].default]
        unused += [] if self.patience else ["improvement"]
        for name in (*unused, *(self.deep_fields if self.method == "soft" else ())):
            data.pop(name, None)
        return data
