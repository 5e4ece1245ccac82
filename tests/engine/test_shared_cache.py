"""Two apps and two commands on one cache folder at once: each job is done once, and nothing is lost."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from core.engine import client
from core.engine.lookup import find_succeeded
from core.specs import CloudSpec, DatasetSpec, ModelSpec, TuningSpec
from core.store import Store, list_jobs
from core.store.maintenance import leftovers, verify_all
from core.store.prompts import read_prompts
from tests.jobs import done
from tests.runs import spec_of, write_sums

APP = """
import json, sys
from pathlib import Path

from core.engine import client
from core.specs import CloudSpec, TuningSpec
from core.store import Store, list_jobs

store = Store(Path(sys.argv[1]))
client.revive(store)
kinds = {"tune": TuningSpec, "capture": CloudSpec}
jobs = [client.submit(kind, kinds[kind].parse(spec), store) for kind, spec in json.loads(sys.argv[2])]
while not all(job.status().ended for job in jobs):
    [job.status() for job in list_jobs(store)]
    for job in jobs:
        client.wait(job, timeout=1)
print([job.status().state for job in jobs])
"""
"""What an app does when its pages ask for jobs: it submits them, and draws lists until they have ended."""


def command(cache: Path, *arguments: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PRIORSCOPE_CACHE": str(cache)}
    return subprocess.Popen(
        [sys.executable, *arguments], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_four_writers_on_one_cache_folder_lose_nothing(own_store: Store, tiny_folder: Path, tmp_path: Path):
    sums, texts = write_sums(tmp_path / "sums.jsonl"), tmp_path / "texts.txt"
    texts.write_text("\n\n".join(f"the cat {i} sat on the mat" for i in range(12)))
    model = ModelSpec(name=str(tiny_folder), device="cpu", dtype="float32")
    cloud = CloudSpec(model=model, dataset=DatasetSpec(name="file", path=str(texts), samples=12), rows=50)
    same = spec_of(tiny_folder, sums, steps=4)
    own = [spec_of(tiny_folder, sums, steps=4, seed=seed) for seed in (1, 2, 3, 4)]
    files: list[Path] = []
    for number, spec in enumerate((same, *own[2:])):
        files.append(tmp_path / f"{number}.json")
        files[-1].write_text(spec.canonical_json())

    def asked(*specs: TuningSpec | CloudSpec) -> str:
        return json.dumps([("capture" if isinstance(spec, CloudSpec) else "tune", spec.as_json()) for spec in specs])

    root = str(own_store.root)
    tune = ["-m", "core", "tune", "--json", "--spec"]
    writers = [
        command(own_store.root, "-c", APP, root, asked(same, own[0], cloud)),
        command(own_store.root, "-c", APP, root, asked(cloud, own[1], same)),
        command(own_store.root, *tune, str(files[0])),
        command(own_store.root, *tune, str(files[1])),
    ]
    said: list[Any] = [writer.communicate(timeout=600) for writer in writers]
    assert [writer.returncode for writer in writers] == [0] * 4, said
    assert [out for out, _ in said[:2]] == ["['succeeded', 'succeeded', 'succeeded']\n"] * 2
    assert {json.loads(out)["status"] for out, _ in said[2:]} == {"succeeded"}
    jobs = list_jobs(own_store)
    assert len({job.id for job in jobs}) == len(jobs)
    assert sorted(job.kind for job in jobs) == ["capture", *["tune"] * 4], "the same request is the same job"
    assert {job.status().attempts for job in jobs} == {1}
    assert client.stop_engine(own_store), "one engine did it all"
    assert [problem for _, problem in verify_all(own_store) if problem] == []
    assert list(leftovers(own_store)) == []
    alone = read_prompts(done("tune", same, Store(tmp_path / "alone")))
    together = find_succeeded("tune", same, own_store)
    assert together is not None
    found = read_prompts(together)
    assert alone is not None
    assert found is not None
    assert found.vectors.tobytes() == alone.vectors.tobytes()
