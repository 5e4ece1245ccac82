"""Which map."""

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from core.specs.base import Spec
from core.specs.cloud import CloudSpec, Site
from core.specs.model import ModelSpec


def check_perplexities(values: object) -> object:
    """Return perplexities as a tuple in ascending order, from a list or a text such as '100,500'; empty is none.

    Raises:
        ValueError: one of them is no number. The bounds are the field's.
    """
    if isinstance(values, str):
        values = [part for part in values.split(",") if part.strip()]
    if not isinstance(values, list | tuple):
        raise ValueError("further perplexities must be numbers, such as 100,500; empty for one scale")
    try:
        return tuple(sorted({float(value) for value in values}))
    except (TypeError, ValueError):
        raise ValueError("further perplexities must be numbers, such as 100,500; empty for one scale") from None


Perplexity = Annotated[float, Field(gt=1, le=500)]
Perplexities = Annotated[tuple[Perplexity, ...], BeforeValidator(check_perplexities)]


class ProjectionSpec(Spec):
    """A map fitted on reference clouds: the vocabulary, or activations at one site."""

    later_fields: ClassVar[tuple[str, ...]] = (
        "further_perplexities",
        "early_exaggeration",
        "n_early_iterations",
        "learning_rate",
        "input_components",
        "joined",
    )
    """Fields that came after the first maps were kept."""

    method: Literal["pca", "tsne"] = Field(
        default="pca", title="Map", description="PCA (linear, frozen) or t-SNE (neighbourhoods only)."
    )
    n_components: Literal[2, 3] = Field(default=2, title="Dimensions", description="Of the picture.")
    model: ModelSpec = Field(default_factory=ModelSpec, title="Model", description="Frozen, and how it is run.")
    site: Site = Field(default=0, title="Site", description="Place in the residual stream.")
    vocabulary: bool = Field(default=False, title="Vocabulary", description="Fit on every row of the embedding matrix.")
    clouds: tuple[CloudSpec, ...] = Field(default=(), title="Clouds", description="Fit on these activations.")
    n_points: int = Field(
        default=5000, ge=50, le=200_000, title="Points", description="Points a cloud that the map is fitted on."
    )
    perplexity: float = Field(
        default=30, gt=1, le=500, title="Perplexity", description="Of t-SNE: neighbours that count."
    )
    further_perplexities: Perplexities = Field(
        default=(),
        title="Further perplexities",
        description="Of t-SNE: more scales beside the perplexity, such as 100,500; their affinities are averaged.",
    )
    exaggeration: float = Field(
        default=1, ge=1, le=100, title="Exaggeration", description="Of t-SNE: above 1 draws clusters tighter."
    )
    early_exaggeration: float = Field(
        default=12,
        ge=1,
        le=100,
        title="Early exaggeration",
        description="Of t-SNE, while clusters still find together.",
    )
    n_early_iterations: int = Field(
        default=250, ge=0, le=5000, title="Early iterations", description="Of t-SNE, with early exaggeration."
    )
    n_iterations: int = Field(
        default=500, ge=50, le=10_000, title="Iterations", description="Of t-SNE, after early exaggeration."
    )
    learning_rate: float | None = Field(
        default=None,
        gt=0,
        le=1e6,
        title="Learning rate",
        description="Of t-SNE; empty: number of points over exaggeration, in each phase.",
    )
    input_components: int = Field(
        default=50, ge=2, le=1000, title="Components first", description="Principal components that t-SNE reads."
    )
    seed: int = Field(
        default=0, ge=0, le=2**31 - 1, title="Seed", description="Decides which points and t-SNE's course."
    )
    joined: str = Field(
        default="",
        title="Joined vectors",
        description="Key of stored vectors that the map is fitted on as well: a joint fit, which is not frozen.",
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

    @property
    def perplexities(self) -> tuple[float, ...]:
        """Return all scales of a t-SNE map, each once, in ascending order."""
        return tuple(sorted({float(self.perplexity), *self.further_perplexities}))

    @model_serializer(mode="wrap")
    def _leave_out_defaults(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out later fields where they play no part, so that maps from before them keep their keys."""
        data = handler(self)
        for name in self.later_fields:
            plays_no_part = self.method == "pca" and name != "joined"
            if plays_no_part or getattr(self, name) == type(self).model_fields[name].default:
                data.pop(name, None)
        return data


class PlacementSpec(Spec):
    """Points to lay on a map that is there: a cloud's, or kept vectors."""

    map: str = Field(min_length=1, title="Map", description="Key of the stored map.")
    cloud: CloudSpec | None = Field(default=None, title="Cloud", description="Whose points are laid on it.")
    site: Site = Field(default=0, title="Site", description="Of the cloud.")
    n_points: int = Field(default=5000, ge=1, le=200_000, title="Points", description="Of the cloud.")
    seed: int = Field(default=0, ge=0, le=2**31 - 1, title="Seed", description="Decides which points of the cloud.")
    vectors: str = Field(default="", title="Vectors", description="Key of stored vectors, instead of a cloud.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.cloud is None) == (not self.vectors):
            raise ValueError("name either a cloud or stored vectors to lay on the map")
        return self
