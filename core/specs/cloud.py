"""Which activations."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SerializerFunctionWrapHandler, model_serializer

from core.errors import shown
from core.specs.base import JsonObject, Seed, Spec
from core.specs.dataset import DatasetSpec
from core.specs.model import FrozenModel, ModelSpec
from core.specs.reading import is_list

FINAL = "final"


def check_site(site: int | str) -> int | str:
    """Return a site as an integer k >= 0 or the word 'final'.

    Raises:
        ValueError: anything else. The upper bound depends on the model; see `core.lm.sites`.
    """
    if site == FINAL:
        return FINAL
    try:
        number = int(site)
    except (TypeError, ValueError, OverflowError):
        number = -1
    if number < 0:
        raise ValueError(f"site {shown(site)} is neither a block number from 0 nor 'final'; give one of those")
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
    if not is_list(sites) or not sites:
        raise ValueError("sites must be 'all' or at least one site, such as 0,5,final")
    return tuple(check_site(site) for site in sites)


Site = Annotated[
    int | str,
    AfterValidator(check_site),
    Field(title="Site", description="Where the residual stream is read: entering block k, or 'final'."),
]
Sites = Annotated[
    tuple[int | str, ...] | Literal["all"],
    BeforeValidator(check_sites),
    Field(title="Sites", description="Where the residual stream is read: entering blocks, such as 0,5,final, or all."),
]


class TokenFilter(Spec, frozen=True):
    """Which tokens count as points of a cloud."""

    special: bool = Field(default=False, title="Keep special tokens")
    """Tokens that the tokenizer adds or reserves."""
    first_position: bool = Field(default=False, title="Keep first position")
    """The first token of each document. Where the tokenizer puts no special token before it, it is
    an attention sink whose norm dominates the first principal components."""
    pad: bool = Field(default=False, title="Keep padding")
    """Padding tokens; keeping them gives the tail in the paper's Figure 3."""
    sink_ratio: float | None = Field(default=None, gt=1, le=1e6, title="Drop sinks above")
    """Drop tokens whose norm at the middle site exceeds this multiple of the median; empty: keep
    them."""


class CloudSpec(Spec, frozen=True):
    """Activations of one model on one data set."""

    model: FrozenModel = ModelSpec()
    dataset: DatasetSpec = Field(default=DatasetSpec(), title="Data set")
    """The texts that the model reads."""
    sites: Sites = "all"
    tokens: TokenFilter = Field(default=TokenFilter(), title="Tokens")
    """Which tokens count."""
    pooling: Literal["token", "mean"] = Field(default="token", title="Point")
    """token: each token is a point; mean: each text is a point, the mean over its tokens."""
    rows: int = Field(default=5000, ge=10, le=1_000_000, title="Points")
    """How many tokens (or texts) the cloud keeps, drawn at random."""
    max_length: int = Field(default=512, ge=8, le=131_072, title="Longest text")
    """How many tokens of each document are read."""
    part: Literal["all", "training"] = Field(default="all", title="Documents")
    """All documents, or only those not held out for validation, on which a prior is fitted."""
    seed: Seed = 0
    """Determines which tokens are kept."""

    @model_serializer(mode="wrap")
    def _leave_out_default(self, handler: SerializerFunctionWrapHandler) -> JsonObject:
        """Leave out default pooling and part: clouds from before there was a choice keep their key."""
        data = handler(self)
        for name in ("pooling", "part"):
            if data.get(name) == type(self).model_fields[name].default:
                data.pop(name)
        return data
