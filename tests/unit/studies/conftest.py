"""A study of seconds, whose jobs are done in this very process."""

import json
from pathlib import Path

import pytest

from core.engine.lookup import job_id
from core.engine.runner import run_job
from core.errors import Failed
from core.specs import DatasetSpec, ModelSpec, Spec, StudyItemSpec, StudySpec
from core.store import JobFolder, Store, create_job
from core.studies.bench import Bench
from core.studies.figure import keep
from core.studies.items import KIND, VERSION, Found, find_item, find_maker

N_TEXTS = 14


@pytest.fixture(scope="module")
def study(tiny_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> StudySpec:
    """Return a study on the tiny model, its texts and its sums."""
    folder = tmp_path_factory.mktemp("texts")
    texts, sums = folder / "texts.txt", folder / "sums.jsonl"
    texts.write_text("\n\n".join(f"Passage {i}: the cat sat on mat {i * i + 3} again." for i in range(N_TEXTS)))
    rows = [{"q": f"What is {i} + {i * i}?", "a": str(i + i * i)} for i in range(N_TEXTS)]
    sums.write_text("\n".join(map(json.dumps, rows)))
    model = ModelSpec(name=str(tiny_folder), device="cpu", dtype="float32")
    questions = DatasetSpec(name="file", path=str(sums), prompt_column="q", answer_column="a")
    return StudySpec(
        model=model,
        encoder=model,
        texts=DatasetSpec(name="file", path=str(texts)),
        questions=questions,
        tasks=("arithmetic__add_or_sub", "arithmetic__mul"),
        n_texts=N_TEXTS,
        n_vocabulary=95,
        n_documents=10,
        n_sites=3,
        rows=150,
        max_length=64,
        longest_example=64,
        n_seeds=2,
        n_deep_seeds=2,
        n_dose_seeds=1,
        n_control_seeds=1,
        n_examples=N_TEXTS,
        steps=2,
        deep_steps=2,
        patience=1,
        batch_size=2,
        n_validation=2,
        n_generation=1,
        soft_task=questions,
        deep_task=questions,
        prompt_sites=(0, -1),
    )


class CountedBench(Bench):
    """A bench that does jobs here and now.

    Attributes:
        asked: kinds of the jobs that were done.
    """

    def __init__(self, spec: StudySpec, store: Store) -> None:
        super().__init__(spec, store, self.do)
        self.asked: list[str] = []

    def do(self, kind: str, spec: Spec) -> JobFolder:
        self.asked.append(kind)
        job = create_job(self.store, kind, spec.as_json(), job_id(kind, spec))
        status = run_job(job)
        if status.state != "succeeded":
            raise Failed(status.error)
        return job

    def obtain(self, spec: StudyItemSpec) -> Found:
        """Return an item, made here and now if it was not made before."""
        found = find_item(spec, self.store)
        if found is None:
            job = create_job(self.store, KIND, spec.as_json(), job_id(KIND, spec))
            kept = keep(find_maker(spec.item).make(self), job.path)
            job.write_result({"version": VERSION, **kept, "seconds": 0.0})
            job.update(state="succeeded")
            found = find_item(spec, self.store)
        assert found is not None
        return found


@pytest.fixture(scope="module")
def bench(study: StudySpec, tmp_path_factory: pytest.TempPathFactory) -> CountedBench:
    """Return the study with a cache of its own, which the tests of a module share."""
    return CountedBench(study, Store(tmp_path_factory.mktemp("cache")))
