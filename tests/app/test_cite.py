"""The citation of a view: its commands parse, its link opens the same view, its line names the paper."""

import json
import shlex
from datetime import date
from urllib.parse import parse_qsl, urlsplit

import pytest
import typer
from streamlit.testing.v1 import AppTest

from core.cli import app as verbs
from core.engine.tasks import find_task
from core.specs import parse_prior
from pages.widgets.cite import citation
from pages.widgets.pages import NAMES
from tests.app.conftest import Content, open_page, texts_of
from tests.app.test_layers import opened


def cited(app: AppTest) -> tuple[list[list[str]], str]:
    """Open the citation of a view, and return the words of each command in it, and the link."""
    app.button(key="cite").click().run()
    commands, link, line = [code.value for code in app.code][-3:]
    assert link in line
    return [shlex.split(command) for command in commands.splitlines()], link


def parsed(words: list[str]) -> None:
    """Parse a command by our own command line, and the spec in it by its own kind."""
    assert words[:3] == ["python", "-m", "core"]
    group = typer.main.get_command(verbs)
    name, verb, rest = group.resolve_command(group.make_context("core", words[3:]), words[3:])  # pyright: ignore
    context = verb.make_context(name, list(rest))
    if name == "make":
        find_task(context.params["kind"]).parse(context.params["spec"])
    if name == "sample":
        parse_prior(context.params["prior"])


@pytest.mark.parametrize("name", NAMES)
def test_what_a_page_cites_parses(filled: Content, no_engine, name: str):
    commands, _ = cited(open_page(name))
    assert commands
    for words in commands:
        parsed(words)


@pytest.mark.parametrize("name", NAMES)
def test_every_page_opens_the_glossary(filled: Content, no_engine, name: str):
    app = open_page(name)
    assert "| site |" not in texts_of(app)
    app.button(key="glossary").click().run()
    assert "| site |" in texts_of(app)


@pytest.fixture
def where(filled: Content) -> dict[str, str]:
    """Return the address of the filled store's model."""
    return {"model": filled.model.name}


def test_a_map_is_cited_as_the_job_that_made_it(filled: Content, no_engine, where):
    commands, _ = cited(open_page("priors", prior='{"kind":"gaussian"}', **where))
    kinds = [words[3] for words in commands]
    assert kinds == ["make", "sample"]
    spec = find_task("projection").parse(commands[0][-1])
    assert spec == filled.vocabulary_map
    assert commands[1][4:6] == ["--prior", parse_prior("gaussian").canonical_json()]
    for words in commands:
        parsed(words)


@pytest.mark.parametrize(("show", "kind"), [("layers", "atlas"), ("hygiene", "hygiene")])
def test_each_view_of_activations_cites_its_own_job(filled: Content, no_engine, show, kind):
    app = opened(filled, show)
    (words,), _ = cited(app)
    assert words[3:5] == ["make", kind]
    parsed(words)


def test_runs_and_their_comparison(filled: Content, no_engine):
    commands, link = cited(open_page("compare"))
    made = {words[4]: words[5] for words in commands if words[3] == "make"}
    assert set(made) == {"tune", "projection", "words"}
    assert find_task("tune").parse(made["tune"]) == filled.tuning
    assert ["compare", filled.run, "--no-worth"] in [words[3:] for words in commands]
    chosen = dict(parse_qsl(urlsplit(link).query))
    assert json.loads(chosen["runs"]) == [filled.run], "the newest run is named, though the address leaves it out"


def test_the_link_opens_the_same_view(filled: Content, no_engine):
    first = open_page("compare", nulls='["rows"]', way="50")
    link = cited(first)[1]
    again = open_page("compare", **dict(parse_qsl(urlsplit(link).query)))
    assert cited(again) == cited(first)
    assert again.query_params == first.query_params


def test_the_line_names_program_view_day_and_paper():
    line = citation("Compare", "http://here/compare?runs=a", date(2026, 11, 2))
    assert "view “Compare” of 2 November 2026, http://here/compare?runs=a. After S. Sedov" in line
