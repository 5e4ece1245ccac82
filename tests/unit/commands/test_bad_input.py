"""Bad input through the command line: one line that names value, bound and remedy, the right exit code, nothing lost.

That a second engine on one cache folder is refused stands in `tests/engine/test_engines.py`.
"""

import errno
import json
import logging
import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from core.store import Store

CAPTURE = ["capture", "--dataset", "file", "--path", "{texts}", "--model", "{model}"]
SUMS = "--dataset file --path {sums} --prompt-column q --answer-column a"
SHORT = "--dtype float32 --steps 4 --n-prompt 3 --n-validation 4 --n-generation 0"
TUNE = f"tune --model {{model}} {SUMS} {SHORT}".split()
SAMPLE = ["sample", "--out", "a.safetensors", "--model", "{model}"]
WILD = ["--prior", "isotropic", "--learning-rate", "10", "--weight-decay", "10", "--warmup-steps", "0"]
"""Such decay throws the prompt to 99 times the other side in each step, out of float32's range in about 20."""


@pytest.fixture
def places(tmp_path, tiny_folder, monkeypatch) -> dict[str, Path]:
    """Return what arguments may name: good and bad files, and the model's folder."""
    monkeypatch.chdir(tmp_path)
    contents = {
        "texts.txt": b"\n\n".join(b"The hen has %d wings." % n for n in range(12)),
        "sums.jsonl": b"\n".join(
            json.dumps({"q": f"What is {a} + {b}?", "a": str(a + b)}).encode() for a in range(5) for b in range(5)
        ),
        "empty.txt": b"",
        "blank.txt": b" \n\n \n",
        "latin.txt": "Où est le café ?\n\nIci.".encode("latin-1"),
        "table.csv": b"title,body\na,b\nc,d\n",
        "broken.jsonl": b'{"text": "one"}\n{"text": \n',
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    return {"model": tiny_folder, **{name.split(".")[0]: tmp_path / name for name in contents}}


def fill(arguments: Sequence[str], places: dict[str, Path]) -> list[str]:
    """Return arguments with the places in them named."""
    names = {name: str(path) for name, path in places.items()}
    return [names.get(word[1:-1], word) if word[:1] == "{" and word[1:-1] in names else word for word in arguments]


@pytest.mark.parametrize(
    ("arguments", "value", "bound", "remedy"),
    [
        ([*CAPTURE, "--model", "smolm2-135m"], "'smolm2-135m'", "known: all-minilm-l6-v2", "Or give a hub id"),
        ([*CAPTURE, "--model", "./nowhere"], "'./nowhere'", "no folder", "give a folder with config.json"),
        ([*CAPTURE, "--dataset", "newz"], "'newz'", "no such data set", "squad, c4, news, math, file"),
        (
            ["capture", "--model", "{model}", "--dataset", "math", "--module", "arithmetic__sub"],
            "'arithmetic__sub'",
            "known: algebra__linear_1d",
            "Did you mean 'arithmetic__",
        ),
        ([*CAPTURE, "--sites", "0,3"], "Site 3", "blocks 0 to 2", "choose one of those, or 'final'"),
        ([*CAPTURE, "--sites", "last"], "'last'", "neither a block number from 0 nor 'final'", "give one of those"),
        ([*SAMPLE, "--prior", "gaussian", "--vocabulary", "--site", "2"], "'2'", "site 0", "leave out --site"),
        (
            [*SAMPLE, "--prior", "gaussian", "--dataset", "file", "--path", "{texts}", "--site", "9"],
            "Site 9",
            "blocks 0 to 2",
            "choose one of those",
        ),
        ([*TUNE, "--prior", "gausian"], "'gausian'", "known: exclusion", "Did you mean 'gaussian'?"),
        ([*TUNE, "--prior", '{"kind":"exclusion","c":1}'], "got 1", "greater than 1", ""),
        ([*TUNE, "--prior", '{"kind":"isotropic","std":-2}'], "got -2", "greater than 0", ""),
        ([*TUNE, "--prior", '{"kind":"isotropic","spread":2}'], "spread", "no such field", "check its spelling"),
        ([*TUNE, "--prior", "isotropic", "--n-prompt", "501"], "got '501'", "less than or equal to 500", ""),
        ([*TUNE, "--prior", "isotropic", "--learning-rate", "nan"], "nan", "finite", ""),
        ([*TUNE, "--prior", "isotropic", "--max-length", "8"], "20 longer", "at most 8 tokens", "raise max_length"),
        ([*CAPTURE, "--path", "{empty}"], "empty.txt' is empty", "0 bytes", "at least 2 documents"),
        ([*CAPTURE, "--path", "{blank}"], "'blank.txt' has 0 usable", "2 that are needed", "give more texts"),
        ([*CAPTURE, "--path", "{latin}"], "byte 1 is 0xf9", "not UTF-8", "save it as UTF-8"),
        ([*CAPTURE, "--path", "{table}"], "no column 'text'", "it has: title, body", "Name its text column"),
        ([*CAPTURE, "--path", "{table}", "--text-column", "boddy"], "'boddy'", "it has: title, body", "Name its"),
        ([*TUNE, "--path", "{table}", "--prior", "isotropic"], "no column 'q'", "it has: title, body", "Name its"),
        ([*CAPTURE, "--path", "{broken}"], "Line 2", "is not JSON", "one JSON object per line"),
        ([*CAPTURE, "--path", "none.txt"], "'none.txt'", "No such file", "check the path"),
        ([*CAPTURE, "--path", "."], "files of texts", "is a folder", "give one file"),
    ],
)
def test_a_bad_request_names_value_bound_and_remedy(call, inline, places, arguments, value, bound, remedy):
    code, out, err = call(*fill(arguments, places), "--json")
    assert (code, out) == (2, "")
    (line,) = [line for line in err.splitlines() if line.startswith("error: ")]
    assert line == err.splitlines()[-1]
    for part in (value, bound, remedy):
        assert part in line
    assert not list(inline.root.glob("artifacts/cloud/*"))


def test_examples_longer_than_the_context_are_told_with_the_room_there_is(call, inline, places, tmp_path):
    narrow = shutil.copytree(places["model"], tmp_path / "narrow")
    config = json.loads((narrow / "config.json").read_text())
    (narrow / "config.json").write_text(json.dumps({**config, "max_position_embeddings": 16}))
    code, out, err = call(*fill(TUNE, {**places, "model": narrow}), "--prior", "isotropic")
    assert (code, out) == (2, "")
    line = err.splitlines()[-1]
    assert line.startswith("error: No training example is left of those that have at most 13 tokens (the shortest has ")
    assert line.endswith("raise max_length if the model's context allows it, or give shorter examples.")


@pytest.mark.parametrize("every", ["7", "20"])
def test_a_loss_that_is_not_finite_names_the_step_and_keeps_the_last_good_prompt(call, inline, places, every):
    code, out, err = call(*fill(TUNE, places), *WILD, "--steps", "60", "--evaluate-every", every, "--json")
    assert (code, out) == (1, "")
    line = err.splitlines()[-1]
    assert re.match(r"error: The (loss|validation loss|prompt) is .*\bstep (19|2\d) of 60\b", line)
    assert "the last good prompt is kept. Lower the learning rate (10)" in line
    (run,) = (inline.root / "runs").iterdir()
    kept = load_file(run / "posterior.safetensors")["prompt"]
    assert kept.shape == (3, 32)
    assert np.isfinite(kept).all()
    assert np.abs(kept).max() > 1e30  # near the end of the way, not the prior sample
    assert json.loads((run / "status.json").read_text())["state"] == "failed"


@contextmanager
def full_disk(store: Store, name: str = "") -> Iterator[None]:
    """Let the disk say that it is full when what will be a file of this name is synced; '' is any file."""
    right = os.fsync

    def fsync(handle: int) -> None:
        number = os.fstat(handle).st_ino
        if not name or number in {path.stat().st_ino for path in (store.root / "tmp").rglob(f"{name}*")}:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        right(handle)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", fsync)
        yield


@pytest.mark.parametrize("name", ["", "records.parquet", "site-1.npy", ".manifest.json"])
def test_a_full_disk_leaves_nothing_half_written(call, ask, inline, places, name):
    asked = fill([*CAPTURE, "--sites", "0,1"], places)
    with full_disk(inline, name):
        code, out, err = call(*asked, "--json")
    assert (code, out) == (1, "")
    line = err.splitlines()[-1]
    assert line.startswith("error: The disk of ")
    assert "is full (No space left on device); nothing half-written was kept. Free some space" in line
    assert not list(inline.root.glob("artifacts/cloud/*"))
    assert not list((inline.root / "tmp").iterdir())
    forget_jobs(ask)
    assert ask(*asked)["sites"] == [0, 1]


def test_a_full_disk_spoils_nothing_that_was_there(call, ask, inline, places):
    before = ask(*fill(CAPTURE, places))
    with full_disk(inline):
        code, _, err = call(*fill([*CAPTURE, "--seed", "1"], places))
    assert code == 1
    assert "is full" in err
    assert ask(*fill(CAPTURE, places)) == {**before, "cached": True}
    assert ask("cache", "verify")["damaged"] == []


def forget_jobs(ask: Callable[..., dict[str, Any]]) -> None:
    """Delete ended jobs: `inline`, unlike the engine, does not run them again."""
    for job in ask("runs", "list")["runs"]:
        ask("runs", "delete", job["run"])


@pytest.mark.parametrize("name", ["site-1.npy", "moments-0.safetensors", "rows.parquet", "manifest.json"])
def test_a_damaged_artifact_is_set_aside_with_a_warning_and_made_again(ask, call, inline, places, monkeypatch, name):
    asked = fill([*CAPTURE, "--sites", "0,1", "--json"], places)
    first = json.loads(call(*asked)[1])
    forget_jobs(ask)
    (spoilt,) = inline.root.glob(f"artifacts/cloud/*/{name}")
    sound = spoilt.read_bytes()
    spoilt.write_bytes(sound[:-9] + bytes(9))
    with monkeypatch.context() as heard:
        heard.setattr(logging.root, "handlers", [])  # as in a fresh process, so that `main` sends warnings to stderr
        code, out, err = call(*asked)
    again = json.loads(out)
    assert code == 0
    assert not again["cached"]
    (warning,) = [line for line in err.splitlines() if line.startswith(f"Stored cloud {first['key']}: ")]
    assert "its manifest" in warning or f"the file {name} " in warning
    assert "It will be made again. It was moved to damaged/" in warning
    assert {name: again[name] for name in ("key", "n_rows", "sites")} == {
        name: first[name] for name in ("key", "n_rows", "sites")
    }
    (aside,) = (inline.root / "damaged").iterdir()
    assert (aside / name).read_bytes() != sound
    assert ask("cache", "verify")["damaged"] == []
