"""Which map."""

from typing import Literal, Self

from pydantic import Field, model_validator

from core.specs.base import Spec
from core.specs.cloud import CloudSpec, Site
from core.specs.model import ModelSpec


class ProjectionSpec(Spec):
    """A map fitted on reference clouds: the vocabulary, or activations at one site."""

    method: Literal["pca", "tsne"] = Field(
        default="pca", title="Map", description="PCA (linear, frozen) or t-SNE (neighbourhoods only)."
    )
    n_components: Literal[2, 3] = Field(default=2, title="Dimensions", description="Of the picture.")
    model: ModelSpec = Field(default_factory=ModelSpec, title="Model")
    site: Site = Field(default=0, title="Site", description="Place in the residual stream.")
    vocabulary: bool = Field(default=False, title="Vocabulary", description="Fit on every row of the embedding matrix.")
    clouds: tuple[CloudSpec, ...] = Field(default=(), title="Clouds", description="Fit on these activations.")
    n_points: int = Field(
        default=5000, ge=50, le=200_000, title="Points", description="Points a cloud that the map is fitted on."
    )
    perplexity: float = Field(
        default=30, gt=1, le=500, title="Perplexity", description="Of t-SNE: neighbours that count."
    )
    exaggeration: float = Field(
        default=1, ge=1, le=100, title="Exaggeration", description="Of t-SNE: above 1 draws clusters tighter."
    )
    n_iterations: int = Field(
        default=500, ge=50, le=10_000, title="Iterations", description="Of t-SNE, after early exaggeration."
    )
    seed: int = Field(
        default=0, ge=0, le=2**31 - 1, title="Seed", description="Decides which points and t-SNE's course."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.vocabulary and not self.clouds:
            raise ValueError("a map needs the vocabulary or at least one cloud to be fitted on; choose one")
        if any(cloud.model.name != self.model.name for cloud in self.clouds):
            raise ValueError("all clouds of a map must come from the map's own model; choose clouds of that model")
        if self.vocabulary and self.site != 0:
            raise ValueError(
                f"the vocabulary lives at site 0, not {self.site!r}; choose site 0 or leave the vocabulary out"
            )
        return self
