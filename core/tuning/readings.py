"""A tuned prompt read once more: on other data, on the way to another prompt, by every regulariser."""

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
import torch

from core.activations.references import make
from core.progress import Progress, silent
from core.specs.dataset import DatasetSpec
from core.specs.tuning import TuningSpec
from core.store.artifacts import Store
from core.tuning.baselines import shared_loss
from core.tuning.changes import PromptArray
from core.tuning.regularisers.base import Ground, build_regularisers, effects
from core.tuning.setup import set_up
from core.tuning.start import fit_priors


def read_elsewhere(
    spec: TuningSpec, posterior: PromptArray, dataset: DatasetSpec, store: Store, progress: Progress = silent
) -> dict[str, dict[str, float]]:
    """Return loss and accuracy of a run's prompt, and of no prompt, on a data set's validation examples.

    Args:
        spec: of the run.
        posterior: its tuned prompt.
        dataset: to read; the run's own gives the run's own validation loss.
        store: where model and texts are.
        progress: in batches; may raise `Cancelled`.

    Returns:
        `tuned` and `no_prompt`, each with loss, accuracy and where there are ends of sequence
        answer_loss and end_loss.

    Raises:
        BadData: no example of the data set fits.
    """
    at_home = dataset == spec.dataset
    # The frozen part below a deep prompt is kept for data that is read many times, not for other data.
    asked = spec if at_home else spec.model_copy(update={"dataset": dataset, "cache_trunk": False})
    ready = set_up(asked, store, progress)
    prompt = torch.from_numpy(np.ascontiguousarray(posterior, np.float32))
    return {
        "tuned": ready.validation.measure(prompt, progress),
        "no_prompt": dict(shared_loss(ready.frozen, ready.validation, prompt[:, :0], store, progress)),
    }


def along_line(
    spec: TuningSpec,
    first: PromptArray,
    second: PromptArray,
    shares: Sequence[float],
    store: Store,
    progress: Progress = silent,
) -> Iterator[float]:
    """Yield the validation loss of prompts on the straight line between two.

    Args:
        spec: of the run whose validation examples are read.
        first: one end.
        second: the other end, of the same shape.
        shares: of the way to the second.
        store: where model and texts are.
        progress: in prompts; may raise `Cancelled`.
    """
    validation = set_up(spec, store, progress).validation
    for done, share in enumerate(shares):
        progress(done, len(shares), f"Reading prompt {done + 1} of {len(shares)} on the line")
        between = (1 - share) * first + share * second
        yield validation.measure(torch.from_numpy(np.ascontiguousarray(between, np.float32)))["loss"]


def penalties(
    spec: TuningSpec,
    prior: PromptArray,
    posterior: PromptArray,
    sites: Sequence[int],
    store: Store,
    progress: Progress = silent,
) -> dict[str, dict[str, float]]:
    """Return what every regulariser measures of a run's prior sample and posterior: `start` and `end`, by name.

    Raises:
        BadRequest: a regulariser needs what the run does not have, such as a prior with a density.
    """
    every = spec.model_copy(update=dict.fromkeys(spec.regularisers(), 1.0))
    before, after = (torch.from_numpy(np.ascontiguousarray(prompt, np.float32)) for prompt in (prior, posterior))

    def priors():
        return fit_priors(spec, sites, prior.shape[-1], store, progress)

    cloud = partial(make, store=store, progress=progress)
    ground = Ground(every, sites, before, priors, cloud, torch.device("cpu"))
    found = effects(build_regularisers(ground), before, after)
    return {name: {"start": values["start"], "end": values["end"]} for name, values in found.items()}
