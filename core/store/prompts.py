"""The prompts that a run's folder holds: prior sample, snapshots, posterior. Free of torch."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file  # pyright: ignore[reportUnknownVariableType]

from core.errors import BadRequest, DamagedArtifact
from core.store.artifacts import Store
from core.store.files import checksum
from core.store.jobs import JobFolder
from core.store.listing import find_job

_HASH_DIGITS = 16


@dataclass(frozen=True)
class RunPrompts:
    """The trajectory of a run's prompt.

    Attributes:
        sites: (n_sites,) blocks whose inputs are prompted; (0,) of a soft prompt.
        steps: (n,) int64 of each snapshot, the first 0 unless the prior sample is not known.
        vectors: (n, n_sites, n_prompt, d_model) float32; the first is the prior sample if it is
            known, the last the posterior or the latest.
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


def posterior_of(run: JobFolder) -> str:
    """Return what names a run's present posterior: the first digits of its file's SHA-256.

    Raises:
        BadRequest: the run goes on, or has no posterior.
        DamagedArtifact: its files are not what they were.
    """
    path, status = run.path / "posterior.safetensors", run.status()
    if status.state == "damaged":
        raise DamagedArtifact(status.error)
    if run.kind != "tune":
        raise BadRequest(f"{run.id} is a {run.kind} job and has no posterior; name a tuning run.")
    if not status.ended or not path.is_file():
        raise BadRequest(f"Run {run.id} is {status.state} and has no posterior to read; wait for its end.")
    return checksum(path)[:_HASH_DIGITS]


def run_with_posterior(name: str, posterior: str, store: Store) -> JobFolder:
    """Return the run whose posterior a request names, which is still its own.

    Raises:
        UnknownName: no such run.
        BadRequest: it has another posterior now, since it was resumed or made again, or none.
        DamagedArtifact: its files are not what they were.
    """
    run = find_job(store, name)
    if posterior_of(run) != posterior:
        raise BadRequest(f"The posterior of run {run.id} is no longer {posterior}; ask for it again.")
    return run


def read_prompts(job: JobFolder) -> RunPrompts | None:
    """Return prior sample, snapshots and posterior as far as they are written, or None before the first.

    Raises:
        DamagedArtifact: a file is not what a run writes, or not what it was when the run ended.
    """
    steps: list[NDArray[np.int64]] = []
    vectors: list[NDArray[np.float32]] = []
    sites: tuple[int, ...] = (0,)
    trajectory = job.file("trajectory.safetensors")
    if trajectory.exists():
        sites, prompts, found = read_trajectory(trajectory)
        steps.append(found)
        vectors.append(prompts)
    status = job.status()
    # A running job's posterior file is a copy made at a checkpoint; its trajectory is newer.
    ends = {"prior": 0} | ({"posterior": status.done} if status.ended else {})
    for name, step in ends.items():
        path = job.file(f"{name}.safetensors")
        if path.exists():
            sites, prompt = read_prompt(path)
            steps.append(np.array([step]))
            vectors.append(prompt[None])
    if not vectors:
        return None
    if len({each.shape[1:] for each in vectors}) > 1:
        shapes = ", ".join(str(each.shape[1:]) for each in vectors)
        raise DamagedArtifact(f"The prompts of {job.id} have different shapes ({shapes}); delete that run.")
    every, prompts = np.concatenate(steps), np.concatenate(vectors)
    unique, first = np.unique(every, return_index=True)
    return RunPrompts(sites, unique.astype(np.int64), prompts[first])


def read_prompt(path: Path) -> tuple[tuple[int, ...], NDArray[np.float32]]:
    """Return sites and vectors (n_sites, n_prompt, d_model) of a prior or posterior file.

    A soft run's file holds `prompt` (n_prompt, d_model); a deep run's holds `prompt` (n_sites,
    n_prompt, d_model) and `site` (n_sites,).

    Raises:
        DamagedArtifact: the file holds something else, or numbers that are not finite.
    """
    return _by_site(_tensors(path), 3, path.name)


def read_trajectory(path: Path) -> tuple[tuple[int, ...], NDArray[np.float32], NDArray[np.int64]]:
    """Return sites, prompts (n, n_sites, n_prompt, d_model) and steps (n,) of a trajectory's file.

    Raises:
        DamagedArtifact: see `read_prompt`.
    """
    tensors = _tensors(path)
    steps = tensors.pop("step", np.zeros(0))
    sites, prompts = _by_site(tensors, 4, path.name)
    rising = steps.shape == prompts.shape[:1] and steps.dtype.kind == "i" and (np.diff(steps, prepend=-1) > 0).all()
    if not rising:
        raise DamagedArtifact(f"{path.name} has no rising steps, one per prompt")
    return sites, prompts, steps


def _tensors(path: Path) -> dict[str, NDArray[Any]]:
    try:
        return load_file(path)
    except (SafetensorError, OSError, TypeError, ValueError, KeyError) as error:
        raise DamagedArtifact(f"{path.name} cannot be read as safetensors ({error})") from None


def _by_site(tensors: dict[str, NDArray[Any]], n_axes: int, name: str) -> tuple[tuple[int, ...], NDArray[np.float32]]:
    if set(tensors) - {"site"} != {"prompt"}:
        raise DamagedArtifact(f"{name} holds {', '.join(tensors) or 'nothing'}, not 'prompt'")
    prompt, site = tensors["prompt"], tensors.get("site", np.zeros(1, np.int64))
    if prompt.ndim == n_axes - 1 and "site" not in tensors:
        prompt = np.expand_dims(prompt, n_axes - 3)
    if prompt.ndim != n_axes or prompt.dtype != np.float32 or 0 in prompt.shape[-3:] or not np.isfinite(prompt).all():
        raise DamagedArtifact(f"{name} has a prompt that is no table of finite 32-bit numbers (shape {prompt.shape})")
    if site.dtype.kind != "i" or site.shape != prompt.shape[-3:-2] or (site < 0).any():
        raise DamagedArtifact(f"{name} has no block number for each of its {prompt.shape[-3]} prompts")
    return tuple(int(block) for block in site), prompt
