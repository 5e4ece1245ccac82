"""A sweep that is killed five times at moments drawn by a seed gives the table of one that nobody disturbed."""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from core.engine import client, local
from core.jobs.outcomes import TIMES, runs_table
from core.jobs.sweep import standings, submit_runs
from core.specs.sweep import SweepSpec, sweep_yaml
from core.store import Store
from core.store.status import is_alive
from tests.engine.conftest import until

KILLS = ("command", "worker", "engine", "worker", "worker")
SEED = 5


@pytest.fixture
def sweep(tiny_folder: Path, tmp_path: Path) -> SweepSpec:
    """Return a search with a comparison, of runs long enough to be killed in."""
    path = tmp_path / "sums.csv"
    path.write_text("q,a\n" + "".join(f"What is {i} plus {i}?,{2 * i}\n" for i in range(40)))
    base = {
        "model": {"name": str(tiny_folder), "device": "cpu", "dtype": "float32"},
        "dataset": {"name": "file", "path": str(path), "samples": 40, "prompt_column": "q", "answer_column": "a"},
        "n_prompt": 4,
        "steps": 60,
        "batch_size": 16,
        "n_validation": 8,
        "n_generation": 0,
        "evaluate_every": 20,
        "checkpoint_every": 7,
    }
    return SweepSpec.parse(
        {"base": base, "priors": ["isotropic"], "learning_rates": [1e-3, 1e-2], "seeds": [0], "compare_seeds": [1]}
    )


def command(file: Path, store: Store) -> subprocess.Popen:
    """Start `python -m core sweep` on a cache folder."""
    environment = {**os.environ, "PRIORSCOPE_CACHE": str(store.root)}
    return subprocess.Popen(
        [sys.executable, "-m", "core", "sweep", str(file)],
        env=environment,
        cwd=Path(__file__).parents[2],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def steps_done(sweep: SweepSpec, store: Store) -> int:
    """Return how many steps the runs have told of, those that were done twice counted twice."""
    return sum(len(list(one.job.events(event="step"))) for one in standings(sweep, store) if one.job)


def ask(sweep: SweepSpec, store: Store) -> None:
    """Ask for the sweep as the command does when it is called again."""
    submit_runs(standings(sweep, store), store)


def to_the_end(sweep: SweepSpec, store: Store) -> set[str]:
    """Ask for all runs until there are no new ones, and return how they ended."""
    ended: dict[str, str] = {}
    while new := [one for one in standings(sweep, store) if not one.job or one.job.id not in ended]:
        for one in submit_runs(new, store):
            assert one.job is not None
            ended[one.job.id] = client.wait(one.job, timeout=300).state
    return set(ended.values())


def table(sweep: SweepSpec, store: Store) -> pd.DataFrame:
    return runs_table(standings(sweep, store)).drop(columns=list(TIMES))


def test_killed_five_times_it_gives_the_table_of_an_undisturbed_one(
    engine_store: Store, own_store: Store, sweep: SweepSpec, tmp_path: Path
) -> None:
    assert to_the_end(sweep, engine_store) == {"succeeded"}
    calm = table(sweep, engine_store)
    assert calm["stage"].tolist() == ["search", "search", "compare"]

    file, rng = tmp_path / "sweep.yaml", random.Random(SEED)
    file.write_text(sweep_yaml(sweep))
    running = command(file, own_store)
    for what in KILLS:
        moment = steps_done(sweep, own_store) + rng.randint(3, 20)
        until(lambda moment=moment: steps_done(sweep, own_store) >= moment, f"{moment} steps before the {what} dies")
        info = local.find_engine(own_store)
        assert info is not None
        victims = {"command": (running.pid,), "worker": info.workers, "engine": (info.process,)}[what]
        assert all(map(is_alive, victims))
        for process in victims:
            os.kill(process, signal.SIGKILL)
        if what == "command":
            running.wait()
        if what == "engine":
            until(lambda workers=info.workers: not any(map(is_alive, workers)), "its workers follow the engine")
        ask(sweep, own_store)
    assert to_the_end(sweep, own_store) == {"succeeded"}
    pd.testing.assert_frame_equal(table(sweep, own_store), calm)
    resumed = [one.job for one in standings(sweep, own_store) if one.job and list(one.job.events(event="resumed"))]
    assert resumed, "no run was taken up from a checkpoint: the kills came between runs"
