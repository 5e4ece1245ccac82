"""Which sites of which clouds to compare, and how; and which tokens to leave out one kind at a time."""

from typing import Self

from pydantic import Field, model_validator

from core.specs.base import Spec
from core.specs.cloud import CloudSpec, Site, Sites, TokenFilter
from core.specs.dataset import DatasetSpec
from core.specs.model import ModelSpec

EVERY_TOKEN = TokenFilter(special=True, first_position=True, pad=True)


class AtlasSpec(Spec):
    """Separability, modality and shape of clouds at every site, with nulls and intervals."""

    model: ModelSpec = Field(default_factory=ModelSpec, title="Model", description="Frozen, and how it is run.")
    clouds: tuple[CloudSpec, ...] = Field(
        default=(), max_length=12, title="Clouds", description="One a data set; separability needs two or more."
    )
    sites: Sites = Field(default="all", title="Sites", description="Measured one after the other; 'all', or a choice.")
    n_components: int = Field(
        default=64,
        ge=2,
        le=1024,
        title="Components of the probes",
        description="Principal components of all points together, found without labels, that probes see.",
    )
    n_folds: int = Field(default=5, ge=2, le=20, title="Folds", description="Of the cross-validation, by document.")
    n_permutations: int = Field(
        default=200,
        ge=19,
        le=10_000,
        title="Permutations",
        description="Of data sets over documents, for the null; the logistic probe is refitted for a tenth of them, "
        "19 at least.",
    )
    n_neighbours: int = Field(
        default=10, ge=1, le=200, title="Neighbours", description="Of the purity; from other documents only."
    )
    n_map: int = Field(
        default=1500, ge=30, le=20_000, title="Points of a small map", description="Of all data sets together."
    )
    seed: int = Field(
        default=0, ge=0, le=2**31 - 1, title="Seed", description="Decides folds, permutations, directions and points."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.clouds:
            raise ValueError("an atlas needs at least one cloud; choose a data set")
        if any(cloud.model != self.model for cloud in self.clouds):
            raise ValueError("all clouds of an atlas must come from its own model; choose clouds of that model")
        if len(set(self.clouds)) < len(self.clouds):
            raise ValueError("the same cloud is named twice; leave one out")
        for cloud in self.clouds:
            if cloud.sites != "all" and (self.sites == "all" or not set(self.sites) <= set(cloud.sites)):
                raise ValueError(
                    f"the cloud on {cloud.dataset.label!r} has only the sites {', '.join(map(str, cloud.sites))}; "
                    "add the atlas's sites to it or choose among those"
                )
        return self


class HygieneSpec(Spec):
    """What each kind of token does to the numbers and to the picture at one site."""

    model: ModelSpec = Field(default_factory=ModelSpec, title="Model", description="Frozen, and how it is run.")
    datasets: tuple[DatasetSpec, ...] = Field(default=(), max_length=6, title="Data sets", description="One or more.")
    site: Site = Field(default=0, title="Site", description="Place in the residual stream.")
    tokens: TokenFilter = Field(
        default_factory=TokenFilter, title="Tokens", description="The filter that is compared with each switch turned."
    )
    sink_ratio: float = Field(
        default=10,
        gt=1,
        le=1e6,
        title="Sinks are above",
        description="This multiple of the median norm at the middle site.",
    )
    rows: int = Field(
        default=5000,
        ge=100,
        le=200_000,
        title="Points",
        description="Of each data set, every kind of token among them.",
    )
    max_length: int = Field(
        default=512, ge=8, le=131_072, title="Longest text", description="Tokens of a document that are read."
    )
    seed: int = Field(default=0, ge=0, le=2**31 - 1, title="Seed", description="Decides points, folds and directions.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.datasets:
            raise ValueError("a look at token hygiene needs at least one data set; choose one")
        if len(set(self.datasets)) < len(self.datasets):
            raise ValueError("the same data set is named twice; leave one out")
        return self

    @property
    def clouds(self) -> tuple[CloudSpec, ...]:
        """Return the captures it reads: every kind of token, at the one site."""
        return tuple(
            CloudSpec(
                model=self.model,
                dataset=dataset,
                sites=(self.site,),
                tokens=EVERY_TOKEN,
                rows=self.rows,
                max_length=self.max_length,
                seed=self.seed,
            )
            for dataset in self.datasets
        )
