"""What a worker holds as it does job after job: rounds of twenty jobs of every kind that a person asks for.

A local engine with a cache of its own does them one by one. Each round has seeds and texts of its own, so that nothing
is found in the store, and the texts' lengths vary, as do the shapes that libraries keep something for. After each job
the memory is read that belongs to the worker alone (unique set size). `ratio` is that after the last round over that
after the first, and `late_ratio` that over what it was at half of the way.

    python -m tests.benchmarks.worker_memory --jobs 200 --json
"""

import argparse
import json
import os
import platform
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
from distributed import Client

from core.engine import client, queue
from core.jobs.measure import measure_spec
from core.jobs.readings import generalise_spec, line_spec, penalties_spec
from core.jobs.trajectory import trajectory_spec
from core.jobs.words import words_spec
from core.specs import (
    AtlasSpec,
    CloudSpec,
    DatasetSpec,
    FitSpec,
    HygieneSpec,
    ModelSpec,
    PathsSpec,
    ProjectionSpec,
    Spec,
    TuningSpec,
    parse_prior,
)
from core.specs.projection import PlacementSpec
from core.store import JobFolder, Store
from tests.benchmarks.sides import tell
from tests.llama import write_llama

A_ROUND = 20
"""Jobs of a round."""
WORDS = ("a", "big", "cat", "and", "the", "little", "dog", "went", "to", "see", "Tom", "who", "was", "happy")
RUN = {
    "n_prompt": 8,
    "steps": 16,
    "batch_size": 8,
    "n_validation": 16,
    "n_generation": 4,
    "max_new_tokens": 8,
    "evaluate_every": 8,
}


class Life:
    """A worker's life.

    Attributes:
        curve: a line per job: its number, kind, seconds, and the worker's bytes after it.
    """

    def __init__(self, store: Store, model: str, folder: Path) -> None:
        """Take a cache folder, a model, and a folder to write texts into."""
        self.curve: list[dict[str, Any]] = []
        self._store = store
        self._model = ModelSpec(name=model, device="cpu")
        self._folder = folder

    def round(self, seed: int) -> None:
        """Do twenty jobs."""
        texts = write_texts(self._folder / f"texts-{seed}.jsonl", seed)
        about: dict[str, Any] = {"model": self._model, "seed": seed}
        cloud = CloudSpec(**about, dataset=texts, rows=400)
        here = cloud.model_copy(update={"sites": (1,)})
        on_cloud: dict[str, Any] = {**about, "clouds": (here,), "site": 1, "n_points": 300}
        self._do("vocabulary", self._model)
        self._do("capture", cloud)
        self._do("capture", here)
        kept = self._do("projection", ProjectionSpec(**on_cloud))
        self._do("projection", ProjectionSpec(**on_cloud, method="tsne", n_iterations=60, n_early_iterations=60))
        self._do(
            "place", PlacementSpec(map=str((kept.result() or {})["key"]), cloud=here, site=1, n_points=300, seed=seed)
        )
        first, second, deep = (self._do("tune", spec) for spec in runs(texts, **about))
        self._do("measure", measure_spec(first, worth=True, n_worth=8))
        self._do("measure", measure_spec(deep))
        self._do("words", words_spec(first))
        self._do("line", line_spec(first, second, 5))
        self._do("penalties", penalties_spec(first))
        self._do("generalise", generalise_spec(first, (texts.model_copy(update={"seed": seed + 1}),)))
        answered: dict[str, Any] = {"run": first.id, "dataset": texts, "mode": "generate", **about}
        self._do("trajectory", trajectory_spec(self._store, **answered))
        self._do("paths", PathsSpec(**about, dataset=texts, n_documents=40, n_draws=5))
        vae = parse_prior({"kind": "vae", "steps": 50, "d_hidden": 32, "d_latent": 4})
        self._do("fit", FitSpec(prior=vae, model=self._model, reference=here, site=1))
        other = cloud.model_copy(update={"dataset": texts.model_copy(update={"seed": seed + 1})})
        self._do("atlas", AtlasSpec(**about, clouds=(cloud, other), sites=(1,), n_permutations=19, n_map=100))
        self._do("hygiene", HygieneSpec(**about, datasets=(texts,), site=1, rows=400))

    def _do(self, kind: str, spec: Spec) -> JobFolder:
        began = time.monotonic()
        job = client.submit(kind, spec, self._store)
        status = client.wait(job)
        if status.state != "succeeded":
            raise SystemExit(f"{kind} {job.id} {status.state}: {status.error}")
        while queue.holds(self._scheduler(), status.task):  # the worker tidies up after it
            time.sleep(0.02)
        told = {"job": len(self.curve) + 1, "kind": kind, "seconds": round(time.monotonic() - began, 2)}
        self.curve.append({**told, "bytes": self._held()})
        print(json.dumps(self.curve[-1]), file=sys.stderr)
        return job

    def _scheduler(self) -> Client:
        engine = client.ensure_engine(self._store)
        return queue.connect(engine.address, engine.keys)

    def _held(self) -> int:
        """Return the bytes that the only worker has for itself."""
        (worker,) = client.engine_state(self._store).workers
        return psutil.Process(worker.process).memory_full_info().uss


def write_texts(path: Path, seed: int) -> DatasetSpec:
    """Write 120 questions of 4 to 60 words."""
    draw = random.Random(seed)
    rows = [{"q": " ".join(draw.choices(WORDS, k=draw.randint(4, 60))), "a": draw.choice(WORDS)} for _ in range(120)]
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return DatasetSpec(name="file", path=str(path), samples=120, prompt_column="q", answer_column="a")


def runs(texts: DatasetSpec, **about: Any) -> list[TuningSpec]:
    """Return two runs of soft prompts and one of deep prompts."""
    told = {**about, "dataset": texts, **RUN}
    soft, other = ({**told, "prior": {"kind": kind}} for kind in ("gaussian", "xavier"))
    deep = {**told, "prior": {"kind": "isotropic"}, "method": "deep", "prompt_sites": [2, 3]}
    return [TuningSpec.parse(asked) for asked in (soft, other, deep)]


def write_model(folder: Path) -> Path:
    """Write a random Llama of five blocks that knows the words."""
    sizes = {"hidden_size": 64, "intermediate_size": 172, "num_hidden_layers": 5}
    known = [*WORDS, *(f"w{i}" for i in range(480))]
    write_llama(folder, known, False, **sizes, num_attention_heads=8, num_key_value_heads=4)
    return folder


def measure(model: str, n_jobs: int) -> dict[str, Any]:
    """Return the benchmark's document."""
    with tempfile.TemporaryDirectory() as scratch:
        store = Store(Path(scratch) / "cache")
        life = Life(store, model or str(write_model(Path(scratch) / "model")), Path(scratch))
        try:
            for seed in range(n_jobs // A_ROUND):
                life.round(seed)
        finally:
            client.stop_engine(store)
    rounds = life.curve[A_ROUND - 1 :: A_ROUND]
    first, middle, last = rounds[0], rounds[max(0, len(rounds) // 2 - 1)], rounds[-1]
    return {
        "ratio": last["bytes"] / first["bytes"],
        "late_ratio": last["bytes"] / middle["bytes"],
        "cases": [{"jobs": one["job"], "megabytes": one["bytes"] / 1e6} for one in rounds],
        "most_megabytes": max(job["bytes"] for job in life.curve) / 1e6,
        "curve": life.curve,
        "measured_on": {"machine": platform.machine(), "cpus": os.cpu_count(), "python": platform.python_version()},
    }


def main() -> None:
    """Print the document, or the memory after each round."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--json", action="store_true", help="print one JSON document on stdout")
    options.add_argument("--model", default="", help="folder of a model of five blocks or more; empty: a tiny one")
    options.add_argument("--jobs", type=int, default=10 * A_ROUND, help=f"a multiple of {A_ROUND}")
    asked = options.parse_args()
    tell(measure(asked.model, asked.jobs), asked.json, "after {jobs} jobs: {megabytes:.0f} MB")


if __name__ == "__main__":
    main()
