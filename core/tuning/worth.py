"""What each vector of a trained prompt is worth: the validation loss with it changed, beside the loss as it is."""

from dataclasses import dataclass

import numpy as np
import torch

from core.progress import Progress, silent
from core.specs.tuning import TuningSpec
from core.store.artifacts import Store
from core.tuning.changes import TunedPrompt, changes, n_changes
from core.tuning.evaluation import Generation, Validation
from core.tuning.setup import set_up


@dataclass(frozen=True)
class Measured:
    """A change with what it does on the validation examples.

    Attributes:
        name: see `Change`.
        site: see `Change`.
        vector: see `Change`.
        loss: mean cross-entropy per label token.
        delta_loss: that minus the unchanged prompt's.
        accuracy: share of label tokens that are the likeliest.
    """

    name: str
    site: int | None
    vector: int | None
    loss: float
    delta_loss: float
    accuracy: float


def worth(
    spec: TuningSpec, tuned: TunedPrompt, store: Store, n_examples: int, seed: int, progress: Progress = silent
) -> list[Measured]:
    """Measure each change of a run's prompt on its first validation examples.

    Args:
        spec: of the run.
        tuned: its prompt.
        store: where model and texts are.
        n_examples: validation examples; all of the run's where it has fewer.
        seed: decides the orders of the vectors.
        progress: in prompts measured; may raise `Cancelled`.

    Returns:
        one entry per change, the unchanged prompt first.
    """
    run = set_up(spec, store, progress)
    few = run.held_out.items[: min(n_examples, spec.n_validation)]
    validation = Validation(run.prompted, few, Generation(0, spec.max_new_tokens, "squad"))
    total = n_changes(len(tuned.sites), tuned.posterior.shape[1])
    found: list[Measured] = []
    for change in changes(tuned, np.random.default_rng(seed)):
        progress(len(found), total, f"Measuring what vectors are worth: {change.name.replace('_', ' ')}")
        measured = validation.measure(torch.from_numpy(np.ascontiguousarray(change.prompt, np.float32)))
        loss = measured["loss"]
        unchanged = found[0].loss if found else loss
        found.append(Measured(change.name, change.site, change.vector, loss, loss - unchanged, measured["accuracy"]))
    return found
