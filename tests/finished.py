"""A finished study without a model: planted pictures, numbers and one verdict, written as a real one is."""

from pathlib import Path

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from core.engine.lookup import job_id
from core.specs import StudyItemSpec, StudySpec
from core.store import Store, create_job
from core.studies.arms import SOFT, arms
from core.studies.claims import CLAIMS
from core.studies.figure import Reproduced, keep
from core.studies.items import KIND, VERSION
from core.studies.several_priors import GROUND, replay
from core.studies.ship import ship
from core.studies.shipped import FinishedStudy
from tests.unit.studies.claims.planted_runs import RunsBench, wobbled

STUDY = StudySpec.asked("quick")
STEPS = (0, 8, 16, 24)
N_PROMPT = 5
TASKS = ("soft prompts on sums", "deep prompts on sums")
ABOUT = {"commit": "0123abc", "command": "python -m core reproduce --all", "machine": "two cores"}


def put(store: Store, item: str, made: Reproduced, study: StudySpec = STUDY) -> None:
    """Keep an item as its job would."""
    spec = StudyItemSpec(study=study, item=item)
    job = create_job(store, KIND, spec.as_json(), job_id(KIND, spec))
    job.write_result({"version": VERSION, **keep(made, job.path), "seconds": 1.0})
    job.update(state="succeeded")


def finished_study(folder: Path, *left_out: str, study: StudySpec = STUDY) -> FinishedStudy:
    """Write a finished study under a folder.

    Args:
        folder: its own folder is `program/planted` in it.
        left_out: items that it does not have.
        study: that it says it is of.
    """
    store = Store(folder / "made")
    bench = RunsBench(Store(folder / "runs"), wobbled({}, 1))
    planted = {name: picture(f"Caption of {name}.") for name in ("figure-1", "figure-2", "figure-3", "film")}
    planted["figure-1"].numbers["sentences"] = ["One cat.", "Two dogs."]
    for number in (1, 2):
        name = f"sentence {number}"
        planted["figure-1"].picture.add_scatter(x=[0, number], y=[0, 1], name=name, legendgroup=name)
    planted |= {"several-priors": _several_priors(), "table-quality": _quality()}
    planted["claim-10"] = CLAIMS[10].reproduced(CLAIMS[10].judge(bench), study)
    for item, made in planted.items():
        if item not in left_out:
            put(store, item, made, study)
    return ship(study, store, folder / "program" / "planted", ABOUT)


def picture(caption: str) -> Reproduced:
    """Return an item of three points."""
    points = pd.DataFrame({"x": [0.0, 1.0, 2.0], "y": [1.0, 0.0, 1.0], "cloud": caption})
    return Reproduced(go.Figure(go.Scatter(x=points["x"], y=points["y"], name="cloud")), points, {}, caption)


def _quality() -> Reproduced:
    rows = [
        {"task": task, "prior": prior, "seeds": 3, "loss": loss, "loss low": loss - 0.02, "loss high": loss + 0.02}
        for task, shift in zip(TASKS, (0.0, 1.0), strict=True)
        for prior, loss in (("Isotropic", 1.5 + shift), ("Xavier", 1.53 + shift))
    ]
    return Reproduced(go.Figure(), pd.DataFrame(rows), {"table": rows}, "Final losses.")


def _several_priors() -> Reproduced:
    rng = np.random.default_rng(0)
    cloud = pd.DataFrame(rng.standard_normal((60, 2)), columns=["x", "y"])
    tables = [cloud.assign(cloud=GROUND, token="word", token_id=range(60))]
    runs = []
    for name in SOFT:
        prior = arms(STUDY)[name].specs[0].prior
        ways = np.cumsum(rng.standard_normal((len(STEPS), N_PROMPT, 2)), axis=0).reshape(-1, 2)
        frames, vectors = np.repeat(np.arange(len(STEPS)), N_PROMPT), np.tile(np.arange(N_PROMPT), len(STEPS))
        tables.append(pd.DataFrame(ways, columns=["x", "y"]).assign(cloud=prior.title, frame=frames, vector=vectors))
        told = {"arm": name, "prior": prior.title, "kind": prior.kind, "run": name, "steps": list(STEPS)}
        runs.append({**told, "losses": [3.0, 2.0, None, 1.5], "baselines": {"no prompt": 3.2}, "shown": 0.5})
    axes, apart = ["PC1 (50.0 % of variance)", "PC2 (9.0 % of variance)"], {"before": 1.0, "after": 0.8}
    numbers = {"model": "m", "task": "sums", "steps": list(STEPS), "axes": axes, "apart": apart, "runs": runs}
    points = pd.concat(tables, ignore_index=True)
    return Reproduced(replay(points, numbers), points, numbers, "Four priors on one map.")
