"""Each verb on real input: the tiny model and texts made here."""

import json

import numpy as np
import pytest
from safetensors.numpy import load_file

from core.store import list_jobs

TEXTS = "\n\n".join(
    f"The {animal} has {n} {part}."
    for n, (animal, part) in enumerate(
        [("cat", "paws"), ("dog", "ears"), ("hen", "wings"), ("ant", "legs"), ("cow", "horns"), ("fly", "eyes")]
    )
)


@pytest.fixture
def texts(tmp_path):
    path = tmp_path / "animals.txt"
    path.write_text(TEXTS)
    return path


@pytest.fixture
def questions(tmp_path):
    path = tmp_path / "sums.jsonl"
    path.write_text("".join(json.dumps({"q": f"{a}+{b}=", "a": str(a + b)}) + "\n" for a in range(5) for b in range(5)))
    return path


@pytest.fixture
def small_run(questions, tiny_folder):
    """Return the arguments of a run of a second."""
    data = ["--dataset", "file", "--path", str(questions), "--prompt-column", "q", "--answer-column", "a"]
    short = "--steps 4 --n-prompt 3 --n-validation 4 --n-generation 2 --max-new-tokens 3 --dtype float32"
    return ["tune", "--model", str(tiny_folder), *data, "--prior", '{"kind":"gaussian"}', *short.split()]


def test_doctor_names_versions_device_and_every_source(ask, store, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    document = ask("doctor")
    assert {row["name"] for row in document["sources"]} >= {"smollm2-135m", "squad", "c4", "news", "math", "file"}
    assert document["device"]["kind"] in ("cpu", "cuda", "mps")
    assert document["packages"]["torch"]
    assert document["cache"]["folder"] == str(store.root)


def test_capture_is_answered_from_the_store_the_second_time(ask, inline, texts, tiny_folder):
    asked = ("capture", "--model", str(tiny_folder), "--dataset", "file", "--path", str(texts), "--sites", "0,final")
    first, second = ask(*asked), ask(*asked)
    assert not first["cached"]
    assert second == {**first, "cached": True}
    assert first["sites"] == [0, "final"]
    assert first["d_model"] == 32
    assert first["n_documents"] == 6
    assert first["n_rows"] <= first["n_tokens"]


def test_an_estimate_captures_nothing(ask, inline, texts, tiny_folder):
    document = ask("capture", "--model", str(tiny_folder), "--dataset", "file", "--path", str(texts), "--estimate")
    assert document["bytes"] > 0
    assert not list((inline.root / "jobs").iterdir())


def test_sample_draws_the_same_again(ask, inline, tiny_folder, tmp_path):
    files = [tmp_path / "a.safetensors", tmp_path / "b.safetensors"]
    for file in files:
        document = ask(
            "sample",
            "--prior",
            '{"kind":"exclusion","c":5}',
            "--vocabulary",
            "--model",
            str(tiny_folder),
            "-n",
            "50",
            "--seed",
            "3",
            "--out",
            str(file),
        )
        assert document["shape"] == [50, 32]
        assert 0 < document["report"]["acceptance"] < 1
    one, other = (load_file(file)["prompt"] for file in files)
    np.testing.assert_array_equal(one, other)


def test_sample_keeps_what_took_long_to_fit(ask, inline, tiny_folder, tmp_path):
    drawn = []
    for draw in ("mean", "mean", "sampled"):
        prior = {"kind": "vae", "d_latent": 2, "d_hidden": 4, "steps": 20, "draw": draw}
        out = tmp_path / f"{draw}.safetensors"
        document = ask(
            "sample", "--prior", json.dumps(prior), "--vocabulary", "--model", str(tiny_folder), "--out", str(out)
        )
        assert document["report"]["steps"]["taken"] == 20
        drawn.append(load_file(out)["prompt"])
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert len(list_jobs(inline, "fit")) == 1
    assert sum(kind == "fit" for kind, _, _ in inline.artifacts()) == 1


def test_sample_on_activations(ask, inline, texts, tiny_folder, tmp_path):
    document = ask(
        "sample",
        "--prior",
        "gaussian",
        "--site",
        "final",
        "--model",
        str(tiny_folder),
        "--dataset",
        "file",
        "--path",
        str(texts),
        "--out",
        str(tmp_path / "a.safetensors"),
    )
    assert document["reference"]["site"] == "final"


def test_tune_reports_validation_and_baselines(ask, inline, small_run):
    document = ask(*small_run)
    assert document["status"] == "succeeded"
    measures = {"loss", "exact_match", "f1", "precision", "recall", "accuracy"}
    assert set(document["validation"]) >= measures
    assert set(document["baseline"]["no_prompt"]) >= measures
    assert set(document["baseline"]["prior_sample"]) >= measures
    again = ask(*small_run, "--again")
    assert again["run"] != document["run"]
    assert again["validation"] == document["validation"]


def test_tune_from_a_spec_file(ask, call, inline, small_run, tmp_path):
    run = ask(*small_run)["run"]
    spec = ask("runs", "show", run)["spec"]
    path = tmp_path / "spec.json"
    path.write_text(json.dumps(spec))
    assert ask("tune", "--spec", str(path))["run"] == run
    code, _, err = call("tune", "--spec", str(path), "--steps", "3")
    assert code == 2
    assert "holds the whole request; leave out the other options" in err


def test_runs_are_listed_shown_and_deleted(ask, call, inline, small_run):
    run = ask(*small_run)["run"]
    assert [row["run"] for row in ask("runs", "list", "--kind", "tune")["runs"]] == [run]
    assert ask("runs", "show", run[:6])["result"]["run"] == run
    assert run in call("runs", "list")[1]
    assert ask("runs", "delete", run) == {"deleted": run}
    assert ask("runs", "list", "--kind", "tune") == {"runs": []}


def test_the_cache_is_listed_verified_and_pruned(ask, call, inline, texts, tiny_folder):
    ask("capture", "--model", str(tiny_folder), "--dataset", "file", "--path", str(texts), "--sites", "0")
    entries = ask("cache", "list")["entries"]
    assert {entry["kind"] for entry in entries} == {"cloud", "dataset"}
    n_jobs = len(ask("runs", "list")["runs"])
    intact = {"checked": len(entries) + n_jobs, "damaged": [], "without_checksums": [], "leftovers": []}
    assert ask("cache", "verify") == intact
    assert len(ask("cache", "prune", "--kind", "cloud")["would_delete"]) == 1
    assert len(ask("cache", "prune", "--kind", "cloud", "--yes")["deleted"]) == 1
    spoilt = next(inline.root.glob("artifacts/dataset/*/records.parquet"))
    spoilt.write_bytes(b"x" * spoilt.stat().st_size)
    code, out, err = call("cache", "verify", "--json")
    assert code == 1
    assert len(json.loads(out)["damaged"]) == 1
    assert "1 of 2 artifacts, runs and jobs are damaged and set aside" in err


def test_priors_are_listed_with_their_parameters(ask):
    assert ask("priors")["exclusion"]["parameters"]["c"]["default"] == 5
    assert list(ask("priors", "xavier")) == ["xavier"]
