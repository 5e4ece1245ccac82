"""A sweep in the engine: its runs asked for, followed and cancelled.

A sweep is not a job. Each of its runs is one, named by its fingerprint, so no run is done twice,
and a sweep that was interrupted continues when it is requested again. The sweep itself is kept as its spec.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from core.analysis.rates import Trial, choose_rate
from core.engine import client
from core.engine.lookup import find
from core.errors import BadRequest, UnknownName
from core.specs.base import fingerprint
from core.specs.cells import Cell, cells_of, compared_cells
from core.specs.sweep import SweepSpec
from core.store import JobFolder, Status, Store
from core.store.files import disk_errors, write_json

ENDED_FOR_GOOD = ("succeeded", "failed", "refused")
"""States in which a run stays until it is requested again."""
_FOLDER = "sweeps"


@dataclass(frozen=True)
class Standing:
    """The state of a run of a sweep, read once.

    Attributes:
        cell: which run.
        job: its folder; None where it was not asked for yet, or is refused.
        error: why it is refused.
    """

    cell: Cell
    job: JobFolder | None = None
    error: str = ""

    @cached_property
    def status(self) -> Status | None:
        """Return the job's status, if there is a job."""
        return self.job.status() if self.job else None

    @property
    def state(self) -> str:
        """Return the job's state, 'refused' or 'not started'."""
        if self.status:
            return self.status.state
        return "refused" if self.error else "not started"


def keep_sweep(sweep: SweepSpec, store: Store) -> str:
    """Keep a sweep's spec and return its id; the same sweep has the same."""
    sweep_id = f"s-{fingerprint(sweep.canonical_json())[:10]}"
    path = store.root / _FOLDER / f"{sweep_id}.json"
    if not path.exists():
        with disk_errors(store.root):
            path.parent.mkdir(exist_ok=True)
            write_json(path, sweep.as_json())
    return sweep_id


def kept_sweeps(store: Store) -> list[str]:
    """Return the ids of the sweeps that were asked for here, the newest first."""
    paths = (store.root / _FOLDER).glob("s-*.json")
    return [path.stem for path in sorted(paths, key=lambda path: (path.stat().st_mtime, path.stem), reverse=True)]


def find_sweep(sweep_id: str, store: Store) -> SweepSpec:
    """Return a sweep that was asked for here.

    Raises:
        UnknownName: there is none of this id.
        BadRequest: another version of the program kept it, and it is no longer valid.
    """
    known = kept_sweeps(store)
    if sweep_id not in known:
        raise UnknownName("sweep", sweep_id, known or ["(none yet)"])
    return SweepSpec.parse((store.root / _FOLDER / f"{sweep_id}.json").read_text(encoding="utf-8"))


def standings(sweep: SweepSpec, store: Store) -> list[Standing]:
    """Return the state of each run of a sweep, without requesting any.

    Runs of the comparison are among them once every run of their group's search has ended for good.

    Raises:
        UnknownName, BadRequest: see `cells_of`.
    """
    cells = cells_of(sweep)
    searched = [_standing(cell, store) for cell in cells]
    rates = chosen_rates(searched) if sweep.compare_seeds else {}
    return [*searched, *(_standing(cell, store) for cell in compared_cells(sweep, cells, rates))]


def chosen_rates(searched: Sequence[Standing]) -> dict[str, float]:
    """Return the best rate of each group whose every run has ended for good, if it has one."""
    groups: dict[str, list[Standing]] = {}
    for one in searched:
        groups.setdefault(one.cell.group, []).append(one)
    found = {}
    for group, mine in groups.items():
        chosen = choose_rate(trials(mine)) if all(one.state in ENDED_FOR_GOOD for one in mine) else None
        if chosen:
            found[group] = chosen.rate
    return found


def trials(mine: Sequence[Standing]) -> list[Trial]:
    """Return runs of one group as trials of their rates."""
    return [Trial(one.cell.spec.learning_rate, one.cell.spec.seed, loss_of(one)) for one in mine]


def loss_of(one: Standing) -> float | None:
    """Return the validation loss that a run ended with; None where it has not succeeded."""
    if one.job is None or one.state != "succeeded":
        return None
    return float((one.job.result() or {})["validation"]["loss"])


def to_do(found: Sequence[Standing], retry: bool = False) -> list[Standing]:
    """Return the runs that would be asked for: new, cancelled and interrupted ones, failed ones for a retry only."""
    wanted = ("not started", "cancelled", "interrupted", "damaged", *(("failed", "refused") if retry else ()))
    return [one for one in found if one.state in wanted]


def submit_runs(found: Sequence[Standing], store: Store, retry: bool = False, again: bool = False) -> list[Standing]:
    """Ask for runs; one that is refused does not keep the others from being queued.

    Those that have ended for good are left alone. Those that are queued or running are asked for too, so that there is
    an engine for them and what killed its process before does not count against them.

    Args:
        found: how they stand.
        store: the cache folder.
        retry: ask for failed runs once more.
        again: make a further run of each, whatever there is.

    Returns:
        how they stand now, in the same order.

    Raises:
        Unreachable, Busy, Failed: there is no engine and none could be started.
    """
    left = ENDED_FOR_GOOD[:1] if retry else ENDED_FOR_GOOD
    return [one if one.state in left and not again else _submit(one, store, again) for one in found]


def follow_runs(found: Sequence[Standing], on_status: Callable[[JobFolder, Status], None]) -> None:
    """Wait until those runs have ended that have not yet, one after the other."""
    for one in found:
        if one.job and not one.job.status().ended:
            job = one.job
            client.wait(job, lambda status, job=job: on_status(job, status))


def cancel_runs(found: Sequence[Standing], store: Store) -> int:
    """Cancel the runs that have not ended and return how many they were."""
    jobs = [one.job for one in found if one.job]
    living = [job for job in jobs if job.status().state in ("queued", "running", "interrupted")]
    for job in reversed(living):  # from the end, so that none begins because the one before was stopped
        client.cancel(job, store)
    return len(living)


def _standing(cell: Cell, store: Store) -> Standing:
    try:
        return Standing(cell, find("tune", cell.spec, store))
    except BadRequest as error:
        return Standing(cell, error=str(error))


def _submit(one: Standing, store: Store, again: bool) -> Standing:
    if one.job:
        one.job.change(("queued", "running", "interrupted"), attempts=0)
    try:
        return Standing(one.cell, client.submit("tune", one.cell.spec, store, again))
    except BadRequest as error:
        return Standing(one.cell, error=str(error))
