"""Which frozen language model."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from core.specs.base import Spec

DEFAULT_MODEL = "smollm2-135m"


class ModelSpec(Spec):
    """A frozen language model and how to run it; one that is tuned or continues texts must be causal."""

    name: str = Field(
        default=DEFAULT_MODEL,
        min_length=1,
        title="Model",
        description="smollm2-135m or the encoder all-minilm-l6-v2 (both ship in registry packages), a Hugging Face id, "
        "or a local folder.",
    )
    revision: str | None = Field(default=None, title="Revision", description="Branch, tag or commit on the hub.")
    device: Literal["auto", "cuda", "mps", "cpu"] = Field(
        default="auto", title="Device", description="Where it runs; auto takes CUDA, then MPS, then the CPU."
    )
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        default="auto",
        title="Number format",
        description="Of the frozen weights; auto takes bfloat16 where the hardware has it.",
    )

    @property
    def label(self) -> str:
        """Return the name for people; of a local folder without where it lies."""
        return short_name(self.name)


def short_name(name: str) -> str:
    """Return a model's name without the folders it lies in; a hub id stays whole."""
    return Path(name).name if name.startswith(("/", "./", "../", "~")) else name
