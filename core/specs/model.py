"""Which frozen language model."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from core.specs.base import PathText, Spec

DEFAULT_MODEL = "smollm2-135m"


class ModelSpec(Spec, frozen=True):
    """A frozen language model and how it is run; tuning and generation need a causal one."""

    name: PathText = Field(default=DEFAULT_MODEL, min_length=1, title="Model")
    """smollm2-135m or the encoder all-minilm-l6-v2 (both come as registry packages), a Hugging Face
    id, or a local folder."""
    revision: PathText | None = Field(default=None, title="Revision")
    """Branch, tag or commit on the Hugging Face hub."""
    device: Literal["auto", "cuda", "mps", "cpu"] = Field(default="auto", title="Device")
    """Where the model runs; auto prefers CUDA, then MPS, then the CPU."""
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = Field(default="auto", title="Number format")
    """Number format of the frozen weights; auto takes bfloat16 where the hardware supports it."""

    @property
    def label(self) -> str:
        """Return the name for people; for a local folder, without the folders above it."""
        return short_name(self.name)


FrozenModel = Annotated[ModelSpec, Field(title="Model", description="The frozen language model and how it is run.")]
"""A field of other specs."""


def short_name(name: str) -> str:
    """Return a model's name without the folders it lies in; a hub id stays whole."""
    return Path(name).name if name.startswith(("/", "./", "../", "~")) else name
