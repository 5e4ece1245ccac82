"""`export` and `import` from a shell."""

from pathlib import Path

import pytest

from core.store import Store, find_job
from tests.unit.jobs.measured import tuned, tuning


@pytest.fixture
def runs(inline: Store, tiny_folder: Path, tmp_path: Path) -> list[str]:
    """Return a soft and a deep run."""
    soft = tuned(tuning(tiny_folder, tmp_path / "sums.jsonl"), inline, "t-1a")
    deep = tuned(tuning(tiny_folder, tmp_path / "sums.jsonl", method="deep", prompt_sites=[1]), inline, "t-2b")
    return [soft.id, deep.id]


def test_a_bundle_out_and_in_elsewhere(ask, call, runs, tmp_path, monkeypatch):
    out = tmp_path / "runs.zip"
    told = ask("export", "t-1", "t-2", "--format", "bundle", "--out", str(out))
    assert told["runs"] == runs
    here = ask("runs", "show", "t-1")
    monkeypatch.setenv("PRIORSCOPE_CACHE", str(tmp_path / "elsewhere"))
    assert ask("import", str(out))["runs"] == runs
    assert ask("runs", "show", "t-1") == here
    assert ask("import", str(out))["already_there"] == runs
    code, _, err = call("import", str(out), "--dataset", "math")
    assert (code, "A bundle names the model and data of its runs itself" in err) == (2, True)


def test_an_adapter_out_and_in(ask, runs, inline, tmp_path):
    ask("export", "t-1", "--format", "peft", "--out", str(tmp_path / "adapter"))
    spec = find_job(inline, "t-1").spec
    data, model = spec["dataset"], spec["model"]
    told = ask(
        "import",
        str(tmp_path / "adapter"),
        "--model",
        model["name"],
        "--device",
        "cpu",
        "--dtype",
        "float32",
        "--dataset",
        "file",
        "--path",
        data["path"],
        "--prompt-column",
        "q",
        "--answer-column",
        "a",
    )
    assert ask("runs", "show", told["runs"][0])["spec"] == spec


def test_several_adapters_have_a_folder_each(ask, call, runs, tmp_path):
    code, _, err = call("export", *runs, "--format", "peft", "--out", str(tmp_path / "adapters"))
    assert (code, "Run t-2b has deep prompts" in err) == (2, True)
    assert not (tmp_path / "adapters").exists(), "all are looked at before one is written"
    told = ask("export", "t-1", "t-1a", "--format", "peft", "--out", str(tmp_path / "one"))
    assert told["run"] == "t-1a"


def test_curves_for_tensorboard(ask, runs, tmp_path):
    told = ask("export", *runs, "--format", "tensorboard", "--out", str(tmp_path / "logs"))
    assert set(told["n_scalars"]) == set(runs)
    assert (tmp_path / "logs" / "t-2b" / "projector_config.pbtxt").is_file()


def test_what_is_nothing_to_import(call, inline, tmp_path):
    code, _, err = call("import", str(tmp_path / "nothing"))
    assert (code, "There is no file or folder" in err) == (2, True)
    (tmp_path / "letter.txt").write_text("hello")
    code, _, err = call("import", str(tmp_path / "letter.txt"))
    assert (code, "'letter.txt' is not a zip file" in err) == (2, True)
    code, out, _ = call("import", str(tmp_path / "letter.txt"), "--json")
    assert (code, out) == (2, ""), "JSON or nothing on stdout"
