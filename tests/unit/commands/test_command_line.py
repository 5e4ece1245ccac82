"""How the command line starts and how it fails: quickly, and in one line."""

import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

from core.cli import VERBS

ROOT = Path(__file__).resolve().parents[3]
HEAVY = {"torch", "transformers", "pandas", "sklearn", "openTSNE", "scipy", "plotly", "distributed", "streamlit"}


def imported(arguments: list[str], cache: Path, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Run the command line in a fresh process and return the names of the modules that it imported."""
    monkeypatch.setenv("PRIORSCOPE_CACHE", str(cache))
    code = (
        f"import sys; sys.argv = ['core', *{arguments}]\n"
        "from core.cli import main\n"
        "try:\n    main()\n"
        "finally:\n    print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout
    return set(done.stderr.split())


@pytest.mark.parametrize(
    "arguments", [["--help"], ["runs", "list"], ["runs", "--help"], ["cache", "list"]], ids=" ".join
)
def test_what_only_reads_imports_nothing_heavy(arguments, tmp_path, monkeypatch):
    assert not HEAVY & imported(arguments, tmp_path, monkeypatch)


@pytest.mark.parametrize(
    "arguments",
    [["maps", "list"], ["priors"], ["tune", "--help"], ["sample", "--help"], ["atlas", "--help"]],
    ids=" ".join,
)
def test_what_fits_nothing_waits_for_no_library_that_fits(arguments, tmp_path, monkeypatch):
    slow = {"torch", "transformers", "sklearn", "openTSNE", "scipy.stats", "distributed"}
    assert not slow & imported(arguments, tmp_path, monkeypatch)


def test_help_lists_every_verb_with_its_line(call):
    code, out, _ = call("--help")
    assert code == 0
    words = " ".join(out.replace("│", " ").split())
    for name, verb in VERBS.items():
        assert f"{name} {verb.summary}" in words


def test_the_console_script_is_the_same_program():
    script = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]["priorscope"]
    module, _, function = script.partition(":")
    assert getattr(import_module(module), function) is import_module("core.__main__").main


@pytest.mark.parametrize("verb", [["doctor"], ["runs", "list"], ["cache", "list"]], ids=" ".join)
def test_a_cache_folder_that_is_a_file_is_one_line(call, tmp_path, monkeypatch, verb):
    spoilt = tmp_path / "cache"
    spoilt.write_text("a file")
    monkeypatch.setenv("PRIORSCOPE_CACHE", str(spoilt))
    code, out, err = call(*verb)
    assert (code, out) == (2, "")
    assert err.startswith(f"error: The cache folder {spoilt} cannot be made (Not a directory); set PRIORSCOPE_CACHE ")
    assert err.count("\n") == 1


def test_a_cache_folder_that_cannot_be_made_is_one_line(call, tmp_path, monkeypatch):
    def refuse(path: Path, **_) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setenv("PRIORSCOPE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(Path, "mkdir", refuse)
    code, out, err = call("runs", "list")
    assert (code, out) == (2, "")
    assert err.startswith(f"error: The cache folder {tmp_path / 'cache'} cannot be made (Permission denied); ")
    assert err.count("\n") == 1


def test_a_misspelt_verb_is_guessed(call):
    code, out, err = call("impot")
    assert (code, out) == (2, "")
    assert err == "error: No such command 'impot'. Did you mean 'import'? Add --help to see the options.\n"
