"""The pages made from the source are current, and nothing that a person can ask for is without a word."""

from pathlib import Path

import pytest
import typer

from core.cli import VERBS as TABLE
from core.cli import load
from core.commands.docs import all_verbs, command_page
from core.engine.tasks import task_specs
from core.reference import DOCS, pages, write
from core.specs import Spec
from core.specs.describe import describe
from core.specs.docs import documented_specs, field_table, spec_page
from core.specs.prior import prior_kinds

COMMANDS = {name: load(name) for name in TABLE}
VERBS = dict(all_verbs(COMMANDS))
SPECS = {spec.__name__: spec for spec in [*documented_specs(), *prior_kinds().values()]}


@pytest.mark.parametrize("name", ["priors.md", "claims.md", "reference/specs.md", "reference/commands.md"])
def test_the_page_is_what_the_source_says(name: str):
    found = (DOCS / name).read_text(encoding="utf-8")
    assert found == pages()[name], f"write docs/{name} again: python -m core.reference"


@pytest.mark.parametrize("name", SPECS)
def test_every_field_of_a_spec_has_a_title_and_a_line(name: str):
    spec = SPECS[name]
    assert (spec.__doc__ or "").strip(), f"{name} has no docstring"
    for field in describe(spec):
        assert spec.model_fields[field.name].title, f"{name}.{field.name} has no title"
        assert field.help.strip(), f"{name}.{field.name} has no description"


@pytest.mark.parametrize("words", VERBS)
def test_every_verb_and_what_it_takes_has_a_line(words: str):
    verb = VERBS[words]
    assert (verb.help or "").strip(), f"{words} has no docstring"
    for parameter in verb.params:
        if parameter.name != "help":
            assert (parameter.help or "").strip(), f"{words}: {parameter.name} has no help"
    assert f"## {words}\n" in pages()["reference/commands.md"]


def test_every_kind_of_job_has_its_spec_on_the_page():
    page = spec_page(documented_specs(), task_specs())
    for kind, spec in task_specs().items():
        if spec.__module__.startswith("core."):
            assert f"## {spec.__name__}\n" in page
            assert f"`{kind}`" in page


def test_an_undocumented_field_or_verb_would_be_seen():
    class Bare(Spec, frozen=True):
        """A spec."""

        n: int = 1

    assert [field.help for field in describe(Bare)] == [""]
    assert "| `n` | N | integer | 1 |  |" in field_table(describe(Bare), Bare)
    assert Bare not in documented_specs(), "only the program's own are on the page"
    bare = typer.Typer()
    bare.command("mute")(lambda n: None)
    bare.command("loud")(lambda: None)
    verbs = dict(all_verbs(typer.main.get_command(bare).commands))  # pyright: ignore[reportAttributeAccessIssue]
    assert not verbs["mute"].help
    assert not verbs["mute"].params[0].help


def test_pages_are_written_where_they_belong(tmp_path: Path):
    write(tmp_path)
    assert {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.md")} == set(pages())
    assert (tmp_path / "reference" / "commands.md").read_text(encoding="utf-8") == command_page(COMMANDS)
