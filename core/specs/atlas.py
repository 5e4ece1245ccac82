"""Which sites of which clouds to compare and how, and which kinds of token to leave out."""

from typing import Self

from pydantic import Field, model_validator

from core.specs.base import Seed, Spec
from core.specs.cloud import CloudSpec, Site, Sites, TokenFilter
from core.specs.dataset import DatasetSpec
from core.specs.model import FrozenModel, ModelSpec

EVERY_TOKEN = TokenFilter(special=True, first_position=True, pad=True)


class AtlasSpec(Spec, frozen=True):
    """Separability, modality and shape of clouds at every site, with nulls and intervals."""

    model: FrozenModel = ModelSpec()
    clouds: tuple[CloudSpec, ...] = Field(default=(), max_length=12, title="Clouds")
    """One cloud per data set; separability needs two or more."""
    sites: Sites = "all"
    n_components: int = Field(default=64, ge=2, le=1024, title="Probe components")
    """How many principal components the probes see; fitted on all points together, without
    labels."""
    n_folds: int = Field(default=5, ge=2, le=20, title="Folds")
    """Folds of the cross-validation; a document is never split between folds."""
    n_permutations: int = Field(default=200, ge=19, le=10_000, title="Permutations")
    """How often data set labels are permuted among documents for the null distribution; the
    logistic probe is refitted for a tenth of them, at least 19."""
    n_neighbours: int = Field(default=10, ge=1, le=200, title="Neighbours")
    """Nearest neighbours for the purity; only those from other documents count."""
    n_map: int = Field(default=1500, ge=30, le=20_000, title="Points on a small map")
    """Points of all data sets together on each site's small map."""
    seed: Seed = 0
    """Determines folds, permutations, directions and points."""

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


class HygieneSpec(Spec, frozen=True):
    """What each kind of token does to the numbers and to the picture at one site."""

    model: FrozenModel = ModelSpec()
    datasets: tuple[DatasetSpec, ...] = Field(default=(), max_length=6, title="Data sets")
    """One or more data sets."""
    site: Site = 0
    tokens: TokenFilter = Field(default=TokenFilter(), title="Tokens")
    """The filter to start from; each of its switches is flipped in turn and compared with it."""
    sink_ratio: float = Field(default=10, gt=1, le=1e6, title="Sinks are above")
    """Tokens whose norm at the middle site exceeds this multiple of the median are sinks."""
    rows: int = Field(default=5000, ge=100, le=200_000, title="Points")
    """Tokens of every kind to keep from each data set."""
    max_length: int = Field(default=512, ge=8, le=131_072, title="Longest text")
    """How many tokens of each document are read."""
    seed: Seed = 0
    """Determines points, folds and directions."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.datasets:
            raise ValueError("token hygiene needs at least one data set; choose one")
        if len(set(self.datasets)) < len(self.datasets):
            raise ValueError("the same data set is named twice; leave one out")
        return self

    @property
    def clouds(self) -> tuple[CloudSpec, ...]:
        """Return the clouds to read: every kind of token, at the one site."""
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
