"""The prompts that a run's folder holds: prior sample, snapshots, posterior. Free of torch."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

from core.errors import BadRequest
from core.store.jobs import JobFolder


@dataclass(frozen=True)
class RunPrompts:
    """The prompt of a run along its way.

    Attributes:
        sites: (n_sites,) blocks whose inputs are prompted; (0,) of a soft prompt.
        steps: (n,) int64 of each snapshot, the first 0 unless the prior sample is not known.
        vectors: (n, n_sites, n_prompt, d_model) float32; the first is the prior sample if it is known, the last the
            posterior or the latest.
    """

    sites: tuple[int, ...]
    steps: NDArray[np.int64]
    vectors: NDArray[np.float32]

    @property
    def begun(self) -> bool:
        """Return whether the prior sample is among them; of an imported prompt it may not be known."""
        return bool(self.steps[0] == 0)

    def at(self, site: int) -> NDArray[np.float32]:
        """Return the snapshots at one site, (n, n_prompt, d_model).

        Raises:
            BadRequest: a site that this run does not prompt.
        """
        if site not in self.sites:
            have = ", ".join(map(str, self.sites))
            raise BadRequest(f"This run has no prompt at site {site}; it has one at: {have}. Choose one of those.")
        return self.vectors[:, self.sites.index(site)]

    def prior(self, site: int) -> NDArray[np.float32]:
        """Return the prior sample at a site, (n_prompt, d_model)."""
        return self.at(site)[0]

    def posterior(self, site: int) -> NDArray[np.float32]:
        """Return the last prompt at a site, (n_prompt, d_model)."""
        return self.at(site)[-1]


def read_prompts(job: JobFolder) -> RunPrompts | None:
    """Return prior sample, snapshots and posterior as far as they are written, or None before the first."""
    steps: list[NDArray[np.int64]] = []
    vectors: list[NDArray[np.float32]] = []
    sites: tuple[int, ...] = (0,)
    trajectory = job.path / "trajectory.safetensors"
    if trajectory.exists():
        tensors = load_file(trajectory)
        steps.append(tensors["step"])
        sites, prompts = _by_site(tensors, n_axes=4)
        vectors.append(prompts)
    status = job.status()
    # A running job's posterior file is a copy made at a checkpoint; its trajectory is newer.
    ends = {"prior": 0} | ({"posterior": status.done} if status.ended else {})
    for name, step in ends.items():
        path = job.path / f"{name}.safetensors"
        if path.exists():
            sites, prompt = read_prompt(path)
            steps.append(np.array([step]))
            vectors.append(prompt[None])
    if not vectors:
        return None
    every, prompts = np.concatenate(steps), np.concatenate(vectors)
    unique, first = np.unique(every, return_index=True)
    return RunPrompts(sites, unique.astype(np.int64), prompts[first])


def read_prompt(path: Path) -> tuple[tuple[int, ...], NDArray[np.float32]]:
    """Return sites and vectors (n_sites, n_prompt, d_model) of a prior or posterior file.

    A soft run's file holds `prompt` (n_prompt, d_model); a deep run's holds `prompt` (n_sites, n_prompt, d_model) and
    `site` (n_sites,).
    """
    return _by_site(load_file(path), n_axes=3)


def _by_site(tensors: dict[str, NDArray], n_axes: int) -> tuple[tuple[int, ...], NDArray[np.float32]]:
    prompt = tensors["prompt"].astype(np.float32, copy=False)
    sites = tuple(int(site) for site in tensors["site"]) if "site" in tensors else (0,)
    return sites, prompt if prompt.ndim == n_axes else np.expand_dims(prompt, n_axes - 3)
