"""Which map."""

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from core.specs.base import JsonObject, Seed, Spec
from core.specs.cloud import CloudSpec, Site
from core.specs.model import FrozenModel, ModelSpec


def check_perplexities(values: Any) -> tuple[float, ...]:
    """Return perplexities in ascending order, from a list or a text such as '100,500'.

    Raises:
        ValueError: one of them is not a number. The field checks the bounds.
    """
    if isinstance(values, str):
        values = [part for part in values.split(",") if part.strip()]
    try:
        return tuple(sorted({float(value) for value in values}))
    except (TypeError, ValueError, OverflowError):
        raise ValueError("further perplexities must be numbers, such as 100,500; leave empty for one scale") from None


Perplexity = Annotated[float, Field(gt=1, le=500)]
Perplexities = Annotated[tuple[Perplexity, ...], BeforeValidator(check_perplexities)]


class ProjectionSpec(Spec, frozen=True):
    """A map fitted on reference clouds: the vocabulary, or activations at one site."""

    later_fields: ClassVar[tuple[str, ...]] = (
        "further_perplexities",
        "early_exaggeration",
        "n_early_iterations",
        "learning_rate",
        "input_components",
        "joined",
    )
    """Fields added after the first maps were stored."""

    method: Literal["pca", "tsne"] = Field(default="pca", title="Map")
    """PCA (linear) or t-SNE (only neighbourhoods can be read)."""
    n_components: Literal[2, 3] = Field(default=2, title="Dimensions")
    """Dimensions of the picture."""
    model: FrozenModel = ModelSpec()
    site: Site = 0
    vocabulary: bool = Field(default=False, title="Vocabulary")
    """Fit on every row of the embedding matrix."""
    clouds: tuple[CloudSpec, ...] = Field(default=(), title="Clouds")
    """Fit on these activations."""
    n_points: int = Field(default=5000, ge=50, le=200_000, title="Points")
    """How many points of each cloud the map is fitted on."""
    perplexity: float = Field(default=30, gt=1, le=500, title="Perplexity")
    """t-SNE only: roughly how many neighbours of a point count."""
    further_perplexities: Perplexities = Field(default=(), title="Further perplexities")
    """t-SNE only: more scales besides the perplexity, such as 100,500; their affinities are
    averaged."""
    exaggeration: float = Field(default=1, ge=1, le=100, title="Exaggeration")
    """t-SNE only: values above 1 draw clusters tighter."""
    early_exaggeration: float = Field(default=12, ge=1, le=100, title="Early exaggeration")
    """t-SNE only: exaggeration of the first iterations, in which clusters form."""
    n_early_iterations: int = Field(default=250, ge=0, le=5000, title="Early iterations")
    """t-SNE only: iterations with early exaggeration."""
    n_iterations: int = Field(default=500, ge=50, le=10_000, title="Iterations")
    """t-SNE only: iterations after early exaggeration."""
    learning_rate: float | None = Field(default=None, gt=0, le=1e6, title="Learning rate")
    """t-SNE only; empty: the number of points divided by the exaggeration, in each phase."""
    input_components: int = Field(default=50, ge=2, le=1000, title="Input components")
    """t-SNE only: how many principal components it reads."""
    seed: Seed = 0
    """Determines which points are drawn and the course of t-SNE."""
    joined: str = Field(default="", title="Joined vectors")
    """Key of stored vectors to fit the map on as well; such a joint fit is not frozen."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.vocabulary and not self.clouds:
            raise ValueError("a map needs the vocabulary or at least one cloud to be fitted on; choose one")
        if any(cloud.model.name != self.model.name for cloud in self.clouds):
            raise ValueError("all clouds of a map must come from the map's own model; choose clouds of that model")
        if self.vocabulary and self.site != 0:
            raise ValueError(
                f"the vocabulary is at site 0, not {self.site!r}; choose site 0 or leave the vocabulary out"
            )
        return self

    @property
    def perplexities(self) -> tuple[float, ...]:
        """Return all scales of a t-SNE map, each once, in ascending order."""
        return tuple(sorted({float(self.perplexity), *self.further_perplexities}))

    @model_serializer(mode="wrap")
    def _leave_out_defaults(self, handler: SerializerFunctionWrapHandler) -> JsonObject:
        """Leave out later fields where they have no effect, so that older maps keep their keys."""
        data = handler(self)
        for name in self.later_fields:
            has_no_effect = self.method == "pca" and name != "joined"
            if has_no_effect or getattr(self, name) == type(self).model_fields[name].default:
                data.pop(name, None)
        return data


class PlacementSpec(Spec, frozen=True):
    """Points to overlay on a stored map: of a cloud, or stored vectors."""

    map: str = Field(min_length=1, title="Map")
    """Key of the stored map."""
    cloud: CloudSpec | None = Field(default=None, title="Cloud")
    """The cloud to overlay."""
    site: Site = 0
    n_points: int = Field(default=5000, ge=1, le=200_000, title="Points")
    """How many points of the cloud to overlay."""
    seed: Seed = 0
    """Determines which points of the cloud are drawn."""
    vectors: str = Field(default="", title="Vectors")
    """Key of stored vectors to overlay instead of a cloud."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.cloud is None) == (not self.vectors):
            raise ValueError("name either a cloud or stored vectors to overlay on the map")
        return self
