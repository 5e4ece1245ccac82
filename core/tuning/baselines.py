"""What a model does without any training, measured once and shared by all runs that compare with it."""

from collections.abc import Mapping
from pathlib import Path

from core.lm.load import FrozenModel
from core.lm.shapes import Prompt
from core.progress import Progress
from core.specs.base import JsonObject, canonical_json, fingerprint
from core.store.artifacts import Store
from core.tuning.evaluation import Validation

BASELINE = "baseline"
"""Kind of the artifacts that hold measures of no prompt or of an instruction."""
VERSION = "1"
"""Goes up when the same examples would give other measures."""


def shared_baseline(
    frozen: FrozenModel, validation: Validation, prompt: Prompt, ids: tuple[int, ...], store: Store, progress: Progress
) -> Mapping[str, float | None]:
    """Return the measures of a prompt that is not trained, from the store or made now.

    They depend on weights, number format, device, validation examples and how answers are
    generated; on nothing else of a run.

    Args:
        frozen: the model.
        validation: the examples, read with the prompt in its place.
        prompt: no vectors, or the embeddings of an instruction.
        ids: tokens of the instruction; empty for no prompt.
        store: where they are kept.
        progress: in batches or answers.

    Raises:
        Cancelled: by the progress.
    """
    key = _key(frozen, validation, ids)

    def build(_: Path) -> JsonObject:
        return {**validation.measure(prompt, progress), **validation.answer(prompt, progress)}

    spec = {"revision": frozen.revision, "instruction": list(ids), "n_examples": len(validation.items)}
    return store.make(BASELINE, key, spec, build, progress=progress)[0].info


def shared_loss(
    frozen: FrozenModel, validation: Validation, no_prompt: Prompt, store: Store, progress: Progress
) -> Mapping[str, float]:
    """Return what `Validation.measure` says of no prompt, from the store or measured now; no answer is generated.

    Args:
        frozen: the model.
        validation: the examples.
        no_prompt: without vectors.
        store: where it is kept.
        progress: in batches.

    Raises:
        Cancelled: by the progress.
    """

    def build(_: Path) -> JsonObject:
        return {**validation.measure(no_prompt, progress)}

    spec = {"revision": frozen.revision, "instruction": [], "n_examples": len(validation.items), "answers": False}
    key = _key(frozen, validation, (), "without answers")
    return store.make(BASELINE, key, spec, build, progress=progress)[0].info


def _key(frozen: FrozenModel, validation: Validation, ids: tuple[int, ...], *more: str) -> str:
    facts = (frozen.revision, str(frozen.device), str(frozen.dtype))
    return fingerprint(*facts, canonical_json(ids), validation.digest(), VERSION, *more)
