"""Which demo: its model and its texts."""

from typing import Literal

from pydantic import Field

from core.specs.base import Spec
from core.specs.model import FrozenModel, ModelSpec


class DemoSpec(Spec, frozen=True):
    """A model's vocabulary, its activations on texts, and deep prompts from three priors, compared."""

    model: FrozenModel = ModelSpec()
    texts: Literal["news", "math"] = Field(default="news", title="Texts")
    """Texts whose activations are shown; the prompts are tuned on sums."""
