"""What the documentation tells a person to type, parses; what it links to, is there."""

import re
import shlex
from pathlib import Path

import pytest
import typer

from core.cli import app
from core.engine.queue import LANES

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
NAMES = [path.relative_to(ROOT).as_posix() for path in PAGES]
BLOCK = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
COMMAND = re.compile(r"^(?:[A-Z_]+=\S+ )*(?:\.venv/bin/)?python -m core (.*)$")


def commands(path: Path) -> list[str]:
    """Return what follows `python -m core` in the code blocks of a page; usage with brackets is none."""
    found = []
    for block in BLOCK.findall(path.read_text(encoding="utf-8")):
        for line in block.replace("\\\n", " ").splitlines():
            match = COMMAND.match(line.strip())
            if match and "[options]" not in line and "…" not in line:
                found.append(match[1].split(" #")[0].strip())
    return found


@pytest.mark.parametrize("name", [name for name in NAMES if "/reference/" not in name and commands(ROOT / name)])
def test_commands_parse(name: str):
    group = typer.main.get_command(app)
    for command in commands(ROOT / name):
        words = shlex.split(command)
        while words:
            _, verb, words = group.resolve_command(group.make_context("core", list(words)), words)  # pyright: ignore
            if not hasattr(verb, "commands"):
                verb.make_context(command, list(words))
                break
            group = verb
        group = typer.main.get_command(app)


@pytest.mark.parametrize("name", NAMES)
def test_links_lead_somewhere(name: str):
    path = ROOT / name
    for target in LINK.findall(path.read_text(encoding="utf-8")):
        if not target.startswith(("http:", "https:")):
            assert (path.parent / target).exists(), f"{name} links to {target}, which is not there"


def test_the_page_on_clusters_names_every_lane():
    text = (ROOT / "docs" / "cluster.md").read_text(encoding="utf-8")
    assert text.count("--resources " + ",".join(f"{lane}=1" for lane in LANES)) == 2
    assert text.count(f"--nthreads {len(LANES)}") == 2
