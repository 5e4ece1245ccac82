"""The program's own kinds reach their functions in a worker, torch and all."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from core.activations.clouds import find_vocabulary
from core.engine import client
from core.jobs.projection import find_map
from core.priors.isotropic import IsotropicSpec
from core.specs import CloudSpec, DatasetSpec, ModelSpec, ProjectionSpec, Spec, TuningSpec
from core.store import Store


def test_a_model_its_vocabulary_and_a_map_are_made_by_the_engine(engine_store: Store, tiny_folder: Path) -> None:
    model = ModelSpec(name=str(tiny_folder), device="cpu", dtype="float32")
    described = client.submit("model", model, engine_store)
    assert client.wait(described, timeout=120).state == "succeeded", described.log_tail()
    facts = described.result() or {}
    assert (facts["n_layers"], facts["d_model"], facts["device"], facts["dtype"]) == (3, 32, "cpu", "float32")
    spec = ProjectionSpec(model=model, vocabulary=True, n_points=80)
    drawn = client.submit("projection", spec, engine_store)
    assert client.wait(drawn, timeout=120).state == "succeeded", drawn.log_tail()
    found = find_map(spec, engine_store)
    assert found is not None
    assert found.artifact.key == (drawn.result() or {})["key"]
    cloud = client.submit("vocabulary", model, engine_store)
    assert client.wait(cloud, timeout=120).state == "succeeded", cloud.log_tail()
    vocabulary = find_vocabulary(model, engine_store)
    assert vocabulary is not None
    assert (cloud.result() or {})["key"] == vocabulary.key


def test_a_prompt_is_tuned_by_the_engine(engine_store: Store, tiny_folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "sums.csv"
    path.write_text("q,a\n" + "".join(f"What is {i} plus {i}?,{2 * i}\n" for i in range(40)))
    spec = TuningSpec(
        model=ModelSpec(name=str(tiny_folder), device="cpu", dtype="float32"),
        dataset=DatasetSpec(name="file", path=str(path), samples=40, prompt_column="q", answer_column="a"),
        prior=IsotropicSpec(),
        n_prompt=2,
        steps=4,
        batch_size=4,
        n_validation=4,
        n_generation=0,
        evaluate_every=4,
    )
    run = client.submit("tune", spec, engine_store)
    assert client.wait(run, timeout=120).state == "succeeded", run.log_tail()
    assert run.path.parent.name == "runs"
    assert len(list(run.events(event="step"))) == 4
    assert (run.result() or {})["validation"]["loss"] > 0
    assert client.submit("tune", spec, engine_store).status().attempts == 1


def test_two_kinds_asked_for_at_once_of_a_fresh_engine_both_succeed(
    own_store: Store, tiny_folder: Path, tmp_path: Path
) -> None:
    path = tmp_path / "sums.csv"
    path.write_text("q,a\n" + "".join(f"What is {i} plus {i}?,{2 * i}\n" for i in range(40)))
    model = ModelSpec(name=str(tiny_folder), device="cpu", dtype="float32")
    data = DatasetSpec(name="file", path=str(path), samples=40, prompt_column="q", answer_column="a")
    tuning = TuningSpec(
        model=model, dataset=data, prior=IsotropicSpec(), n_prompt=2, steps=2, n_validation=4, n_generation=0
    )
    asked: list[tuple[str, Spec]] = [
        ("tune", tuning),
        ("capture", CloudSpec(model=model, dataset=data)),
        ("projection", ProjectionSpec(model=model, vocabulary=True, n_points=80)),
    ]
    client.ensure_engine(own_store)
    with ThreadPoolExecutor() as pool:
        jobs = list(pool.map(lambda each: client.submit(each[0], each[1], own_store), asked))
    for job in jobs:
        assert client.wait(job, timeout=120).state == "succeeded", job.log_tail()
