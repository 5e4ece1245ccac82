"""The changed prompts that show what a vector is worth. Free of torch."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32
from numpy.typing import NDArray

PromptArray = Float32[np.ndarray, "n_sites n_prompt d_model"]
"""A prompt; n_sites is 1 for a soft one."""
N_ORDERS = 4
"""Orders of the vectors that are tried."""
VECTOR_CHANGES = ("drop", "prior", "snap", "half", "double", "prior_norm")
"""Made to one vector at a time."""
PROMPT_CHANGES = ("shuffle", "all_prior", "all_snap", "none")
"""Made to all vectors at once."""


@dataclass(frozen=True)
class Change:
    """A prompt with something changed.

    Attributes:
        name: of `VECTOR_CHANGES` or `PROMPT_CHANGES`; 'unchanged' for none.
        site: where; None is everywhere.
        vector: which; None is all of them.
        prompt: changed; it may have fewer vectors.
    """

    name: str
    site: int | None
    vector: int | None
    prompt: PromptArray


@dataclass(frozen=True)
class TunedPrompt:
    """A run's prompt, with what its vectors can be exchanged for.

    Attributes:
        prior: the initial prompt; None, if it is not known, leaves out the changes that need it.
        posterior: the tuned prompt.
        sites: names of the first axis.
        snapped: by site, (n_prompt, d_model) what each vector becomes when it is snapped; a site
            may be left out.
    """

    prior: PromptArray | None
    posterior: PromptArray
    sites: tuple[int, ...]
    snapped: Mapping[int, NDArray[np.floating]]


def n_changes(n_sites: int, n_prompt: int) -> int:
    """Return how many prompts are measured at most, the unchanged one among them."""
    one_by_one = n_prompt * (1 + n_sites * (len(VECTOR_CHANGES) - 1))
    return 2 + one_by_one + n_sites * (N_ORDERS + 2) + 2 * (n_sites > 1)


def changes(tuned: TunedPrompt, rng: np.random.Generator) -> Iterator[Change]:
    """Yield the prompts to measure, the unchanged one first.

    A deep prompt has the same number of vectors at every site, so `drop` takes a vector out at all
    sites at once.

    Args:
        tuned: the prompt.
        rng: decides the orders.
    """
    prior, posterior, sites, snapped = tuned.prior, tuned.posterior, tuned.sites, tuned.snapped
    yield Change("unchanged", None, None, posterior)
    yield Change("none", None, None, posterior[:, :0])
    n_prompt = posterior.shape[1]
    everywhere = None if len(sites) > 1 else min(sites)
    for vector in range(n_prompt):
        yield Change("drop", everywhere, vector, np.delete(posterior, vector, axis=1))
    for i, site in enumerate(sites):
        for name, replacement in _replacements(
            None if prior is None else prior[i], posterior[i], snapped.get(site)
        ).items():
            for vector in range(n_prompt):
                yield Change(name, site, vector, _with(posterior, i, replacement, slice(vector, vector + 1)))
        for _ in range(N_ORDERS):
            yield Change("shuffle", site, None, _with(posterior, i, posterior[i][_other_order(n_prompt, rng)]))
        if prior is not None:
            yield Change("all_prior", site, None, _with(posterior, i, prior[i]))
        if site in snapped:
            yield Change("all_snap", site, None, _with(posterior, i, snapped[site]))
    if len(sites) > 1:
        if prior is not None:
            yield Change("all_prior", None, None, prior)
        if set(snapped) >= set(sites):
            every = np.stack([snapped[site] for site in sites]).astype(np.float32)
            yield Change("all_snap", None, None, every)


def _replacements(
    prior: NDArray[np.float32] | None, posterior: NDArray[np.float32], snapped: NDArray[np.floating] | None
) -> dict[str, NDArray[np.floating]]:
    """Return what each vector of a site becomes, (n_prompt, d_model), by the name of the change."""
    found: dict[str, NDArray[np.floating]] = {"half": 0.5 * posterior, "double": 2.0 * posterior}
    if prior is not None:
        norms = np.linalg.norm(posterior, axis=1, keepdims=True)
        before = np.linalg.norm(prior, axis=1, keepdims=True)
        found |= {"prior": prior, "prior_norm": posterior * before / np.where(norms > 0, norms, 1)}
    return found if snapped is None else {**found, "snap": snapped}


def _with(
    prompt: NDArray[np.float32], i: int, replacement: NDArray[np.floating], where: slice = slice(None)
) -> NDArray[np.float32]:
    changed = prompt.copy()
    changed[i, where] = replacement[where]
    return changed


def _other_order(n: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Return an order of n vectors that is not their own, where there is one."""
    order = rng.permutation(n)
    while n > 1 and (order == np.arange(n)).all():
        order = rng.permutation(n)
    return order
