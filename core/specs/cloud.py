"""Which activations."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SerializerFunctionWrapHandler, model_serializer

from core.specs.base import Spec
from core.specs.dataset import DatasetSpec
from core.specs.model import ModelSpec

FINAL = "final"


def check_site(site: int | str) -> int | str:
    """Return a site as an integer k >= 0 or the word 'final'.

    Raises:
        ValueError: anything else. The upper bound depends on the model and is checked there.
    """
    if site == FINAL:
        return FINAL
    try:
        number = int(site)
    except ValueError:
        number = -1
    if number < 0:
        raise ValueError(f"site {site!r} is neither a block number from 0 nor 'final'; give one of those")
    return number


def check_sites(sites: object) -> object:
    """Return 'all', or a tuple of sites from a list or a text such as '0,5,final'.

    Raises:
        ValueError: one of them is not a site, or there is none.
    """
    if sites == "all":
        return sites
    if isinstance(sites, str):
        sites = sites.split(",")
    if not isinstance(sites, list | tuple) or not sites:
        raise ValueError("sites must be 'all' or at least one site, such as 0,5,final")
    return tuple(check_site(site) for site in sites)


Site = Annotated[int | str, AfterValidator(check_site)]
Sites = Annotated[tuple[int | str, ...] | Literal["all"], BeforeValidator(check_sites)]


class TokenFilter(Spec):
    """Which tokens count as points of a cloud."""

    special: bool = Field(
        default=False, title="Keep special tokens", description="Tokens the tokenizer itself adds or reserves."
    )
    first_position: bool = Field(
        default=False,
        title="Keep first position",
        description="The first token of each document; where the tokenizer adds no special token before it, it is a "
        "sink whose norm owns the first principal components.",
    )
    pad: bool = Field(
        default=False, title="Keep padding", description="Padding; kept, it makes the tail of the paper's Figure 3."
    )
    sink_ratio: float | None = Field(
        default=None,
        gt=1,
        le=1e6,
        title="Drop sinks above",
        description="Drop tokens whose norm at the middle site is over this multiple of the median; empty keeps them.",
    )


class CloudSpec(Spec):
    """Activations of one model on one data set."""

    model: ModelSpec = Field(default_factory=ModelSpec, title="Model", description="Frozen, and how it is run.")
    dataset: DatasetSpec = Field(default_factory=DatasetSpec, title="Data set", description="The texts.")
    sites: Sites = Field(
        default="all",
        title="Sites",
        description="Places in the residual stream: k is the stream entering block k, or 'final'.",
    )
    tokens: TokenFilter = Field(default_factory=TokenFilter, title="Tokens", description="Which of them count.")
    pooling: Literal["token", "mean"] = Field(
        default="token",
        title="Point",
        description="token: each token a point; mean: the mean over a text's tokens, one point a text.",
    )
    rows: int = Field(
        default=5000,
        ge=10,
        le=1_000_000,
        title="Points",
        description="Size of the seeded sample of tokens (or texts) kept for the cloud.",
    )
    max_length: int = Field(
        default=512, ge=8, le=131_072, title="Longest text", description="Tokens of a document that are read."
    )
    seed: int = Field(default=0, ge=0, le=2**31 - 1, title="Seed", description="Decides which tokens are kept.")

    @model_serializer(mode="wrap")
    def _leave_out_default(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out the pooling of every cloud from before there was a choice, so that it keeps its key."""
        data = handler(self)
        if self.pooling == "token":
            data.pop("pooling", None)
        return data
