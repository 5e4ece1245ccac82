"""Benches whose tuning runs are folders with planted prompts, losses, endings and measures."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
from safetensors.numpy import save_file

from core.jobs.measure import VOCABULARY
from core.specs import Spec, StudySpec, TuningSpec
from core.store import JobFolder, Store, create_job
from core.store.endings import CONVERGED
from core.studies.arms import arms
from core.studies.bench import Bench

SEEDS = 8
STUDY = StudySpec.asked(
    "quick", n_seeds=SEEDS, n_deep_seeds=SEEDS, n_dose_seeds=SEEDS, n_control_seeds=3, prompt_sites=(-1,)
)
WOBBLE = np.array([-0.010, 0.004, 0.012, -0.006, 0.0, 0.008, -0.011, 0.003])
"""What seeds differ by."""
N_PROMPT, D_MODEL = 6, 5
ROWS = np.linspace(1.0, 2.0, 256)
"""Distances of the vocabulary's rows to their nearest rows."""


@dataclass(frozen=True)
class Planted:
    """What a run came to."""

    loss: float = 1.0
    untuned: float = 3.0
    curve: Mapping[int, float] = field(default_factory=lambda: {0: 3.0, 24: 1.0})
    ending: str = CONVERGED
    before: np.ndarray = field(default_factory=lambda: np.ones((N_PROMPT, D_MODEL)))
    after: np.ndarray = field(default_factory=lambda: np.ones((N_PROMPT, D_MODEL)))
    supported: tuple[float, float] = (0.0, 0.0)
    nearest: tuple[float, float] = (1.5, 1.5)
    regularisers: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


Plan = Callable[[str, int], Planted]
"""Returns what the run of an arm with a seed came to."""


class RunsBench(Bench):
    """A bench that writes a run's folder when it is asked for the run.

    Attributes:
        answers: what other jobs would give, by kind, from their spec.
    """

    def __init__(
        self,
        store: Store,
        plan: Plan,
        answers: Mapping[str, Callable[[Any], Any]] | None = None,
        study: StudySpec = STUDY,
    ) -> None:
        super().__init__(study, store, self._refuse)
        self.plan, self.answers = plan, answers or {}
        self._kept: dict[str, tuple[JobFolder, Planted]] = {}

    def runs(self, arm: str) -> list[JobFolder]:
        return [self._run(arm, spec) for spec in arms(self.spec)[arm].specs]

    def measures(self, runs: Sequence[JobFolder]) -> Any:
        return [_measured(self._kept[run.id][1]) for run in runs]

    def made(self, find: Any, kind: str, spec: Spec) -> Any:
        return self.answers[kind](spec)

    def n_layers(self) -> int:
        return 30

    def _run(self, arm: str, spec: TuningSpec) -> JobFolder:
        name = f"t-{arm}-{spec.seed}"
        if name not in self._kept:
            planted = self.plan(arm, spec.seed)
            self._kept[name] = _write(self.store, spec, name, planted), planted
        return self._kept[name][0]

    def _refuse(self, kind: str, _spec: Spec) -> JobFolder:
        raise AssertionError(f"a planted bench was asked for a {kind} job")


def _write(store: Store, spec: TuningSpec, name: str, planted: Planted) -> JobFolder:
    job = create_job(store, "tune", spec.as_json(), name)
    for file, vectors in (("prior", planted.before), ("posterior", planted.after)):
        deep = {"prompt": vectors[None].astype(np.float32), "site": np.array([29])}
        soft = {"prompt": vectors.astype(np.float32)}
        save_file(deep if spec.method == "deep" else soft, job.path / f"{file}.safetensors")
    for step, loss in planted.curve.items():
        job.append(event="evaluation", step=step, validation={"loss": loss})
    job.write_result(
        {
            "validation": {"loss": planted.loss},
            "baseline": {"no_prompt": {"loss": planted.untuned}, "prior_sample": {"loss": 3.0}},
            "ending": planted.ending,
            "regularisers": dict(planted.regularisers),
        }
    )
    job.update(state="succeeded", done=max(planted.curve), total=spec.steps)
    return job


def _measured(planted: Planted) -> Any:
    before, after = planted.supported
    site = {
        "place": {"sums": {"supported": {"value": after, "prior": before}}},
        "collapse": {"cosine": {"value": planted.nearest[1], "prior": planted.nearest[0]}},
    }
    tables = {
        "vectors": pd.DataFrame(
            {"site": 0, "Euclidean distance": [planted.nearest[1]], "Euclidean distance before": [planted.nearest[0]]}
        ),
        "nulls": pd.DataFrame({"site": 0, "null": VOCABULARY, "Euclidean distance": ROWS}),
    }
    summary = {"sites": [{**site, "behind_norm": site}], "data": "sums", "n_prompt": 20}
    return SimpleNamespace(summary=summary, table=tables.__getitem__)


def wobbled(losses: Mapping[str, float], noise: float = 1.0, **more: Any) -> Plan:
    """Return runs with these mean losses (1 by default), each arm's seeds wobbling in an order of its own."""

    def plan(arm: str, seed: int) -> Planted:
        wobble = np.random.default_rng(sum(map(ord, arm))).permutation(WOBBLE)
        return Planted(loss=losses.get(arm, 1.0) + noise * float(wobble[seed]), **more)

    return plan
