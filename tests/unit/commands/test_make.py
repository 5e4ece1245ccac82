"""One job of any kind, and options that do not take each other's place."""

import json
from pathlib import Path

from safetensors.numpy import load_file

from core.commands.options import arguments
from core.commands.sample import sample
from core.specs import DatasetSpec, ModelSpec
from core.store import list_jobs


def test_a_job_is_done_from_its_spec(ask, inline, tiny_folder, tmp_path):
    spec = {"model": {"name": str(tiny_folder)}, "vocabulary": True}
    found = ask("make", "projection", json.dumps(spec))
    assert (found["kind"], found["status"], found["result"]["n_points"]) == ("projection", "succeeded", 99)
    (tmp_path / "spec.json").write_text(json.dumps(spec))
    assert ask("make", "projection", str(tmp_path / "spec.json"))["job"] == found["job"]
    assert len(list_jobs(inline, "projection")) == 1


def test_what_cannot_be_made(call, inline, tmp_path):
    code, _, err = call("make", "dream", "{}")
    assert (code, "Unknown kind of job 'dream'; known: " in err) == (2, True)
    code, _, err = call("make", "projection", str(tmp_path / "no.json"))
    assert (code, "The spec file" in err) == (2, True)
    code, _, err = call("make", "projection", '{"n_points": 1}')
    assert (code, "n_points: Input should be greater than or equal to 50" in err) == (2, True)


def test_the_seed_of_a_sample_is_its_own(ask, inline, tiny_folder, tmp_path):
    drawn = []
    for seed in ("1", "2", "1"):
        out = tmp_path / f"{len(drawn)}.safetensors"
        found = ask(
            "sample",
            "--prior",
            "gaussian",
            "--model",
            str(tiny_folder),
            "--vocabulary",
            "--seed",
            seed,
            "--out",
            str(out),
        )
        assert found["seed"] == int(seed)
        drawn.append(load_file(out)["prompt"])
    assert (drawn[0] == drawn[2]).all()
    assert (drawn[0] != drawn[1]).any()


def test_options_are_given_back_as_they_were_taken(tmp_path: Path):
    words = arguments(sample, model=ModelSpec(name="a/b"), dataset=DatasetSpec(name="math", seed=3))
    assert words == [
        "--model",
        "a/b",
        "--dataset",
        "math",
        "--dataset-seed",
        "3",
        "--module",
        "arithmetic__add_or_sub",
        "--difficulty",
        "train-easy",
    ]
