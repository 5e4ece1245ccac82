"""A cache folder that cannot be written: what is in it is read, and what would write says so in one line."""

import ctypes
import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.store import Store
from tests.jobs import done
from tests.runs import spec_of, write_sums

ROOT = Path(__file__).resolve().parents[3]
_DROP_CAPABILITY, _MAY_WRITE_ANYTHING = 24, 1


def without_privilege() -> None:
    """Give up what lets root write into any folder; for others it changes nothing."""
    ctypes.CDLL(None).prctl(_DROP_CAPABILITY, _MAY_WRITE_ANYTHING, 0, 0, 0)


def core(cache: Path, *arguments: str) -> tuple[int, str, str]:
    """Run the command line on a cache folder in a process without privilege."""
    told = subprocess.run(
        [sys.executable, "-m", "core", *arguments],
        cwd=ROOT,
        env={**os.environ, "PRIORSCOPE_CACHE": str(cache)},
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=without_privilege,
    )
    return told.returncode, told.stdout, told.stderr


@pytest.fixture
def filled(store: Store, tiny_folder: Path, tmp_path: Path):
    """Return a cache folder with a finished run and one that cannot be read, and the run; nothing can be written."""
    spec = spec_of(tiny_folder, write_sums(tmp_path / "sums.jsonl"))
    run = done("tune", spec, store)
    (tmp_path / "spec.json").write_text(spec.model_dump_json())
    (store.root / "jobs" / "m-odd").mkdir()
    (store.root / "jobs" / "m-odd" / "spec.json").write_text("[1]")
    folders = [store.root, *(path for path in store.root.rglob("*") if path.is_dir())]
    for folder in folders:
        folder.chmod(0o555)
    yield store.root, run
    for folder in folders:
        folder.chmod(0o755)


def test_what_is_in_a_folder_that_cannot_be_written_is_read(filled, tmp_path):
    cache, run = filled
    code, out, err = core(cache, "doctor")
    assert (code, "m-odd" in out) == (0, True), err
    code, out, err = core(cache, "runs", "list")
    assert (code, run.id in out, "m-odd" in out) == (0, True, True), err
    code, out, err = core(cache, "tune", "--spec", str(tmp_path / "spec.json"))
    assert (code, "validation" in out) == (0, True), err
    code, out, err = core(cache, "export", run.id, "--format", "bundle", "--out", str(tmp_path / "b.zip"))
    assert code == 0, err
    assert core(cache, "runs", "show", run.id)[0] == 0
    assert core(cache, "cache", "list")[0] == 0


@pytest.mark.parametrize("arguments", [["runs", "delete", "{run}"], ["make", "model", "{{}}"]])
def test_what_would_write_says_where_it_cannot(filled, arguments):
    cache, run = filled
    code, out, err = core(cache, *(word.format(run=run.id) for word in arguments))
    line = err.splitlines()[-1]
    assert (code, out) == (2, ""), err
    assert line.startswith(f"error: {cache}")
    assert "Make that path readable and writable, or name another one (PRIORSCOPE_CACHE" in line
    assert "Traceback" not in err
