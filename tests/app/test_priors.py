"""The Priors page."""

import json
import re
import types
from collections.abc import Iterator

import pytest

from core.specs.prior import forget_prior_kind
from tests.app.conftest import ROOT, charts_of, open_page, texts_of


def test_a_prior_is_previewed_on_the_vocabulary_map(filled, no_engine):
    app = open_page("priors", model=filled.model.name, prior='{"kind":"exclusion","c":7}', n="30")
    charts = charts_of(app)
    assert [trace["name"] for trace in charts[0]["data"]][1] == "Gaussian exclusion sample (30)"
    assert len(charts[0]["data"][1]["hovertext"]) == 30
    assert [trace["name"] for trace in charts[1]["data"]] == ["fitted Gaussian", "exclusion prior"]
    assert {"Acceptance", "Energy off the plane"} <= {metric.label for metric in app.metric}
    assert "shell" in app.info[0].value or "hole" in app.info[0].value


def test_a_prior_out_of_range_in_the_address_is_told_and_left(filled, no_engine):
    app = open_page("priors", model=filled.model.name, prior='{"kind":"exclusion","c":0.5}')
    assert "c\\: Input should be greater than 1" in app.warning[0].value
    assert charts_of(app)


@pytest.fixture
def laplace() -> Iterator[None]:
    """Define the worked example of the documentation, as its file in core/priors would."""
    code = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "adding-a-prior.md").read_text(), flags=re.DOTALL)
    module = types.ModuleType("core.priors.laplace")
    exec(compile(code[0], "laplace", "exec"), module.__dict__)
    yield
    forget_prior_kind("laplace")


def test_a_prior_of_ones_own_is_on_the_page_and_in_its_form(filled, no_engine, laplace):
    app = open_page("priors", model=filled.model.name)
    app.selectbox(key="priors.prior.kind").select("laplace").run()
    field = next(field for field in app.number_input if field.label == "Spread")
    field.set_value(0.5).run()
    assert json.loads(app.query_params["prior"]) == {"kind": "laplace", "std": 0.5}
    assert charts_of(app)[0]["data"][1]["name"] == "Laplace sample (200)"


def test_changing_a_parameter_changes_the_address(filled, no_engine):
    app = open_page("priors", model=filled.model.name, prior='{"kind":"exclusion","c":7}')
    field = next(field for field in app.number_input if field.label == "c")
    assert field.value == 7
    field.set_value(9.0).run()
    assert json.loads(app.query_params["prior"]) == {"kind": "exclusion", "c": 9.0}


def test_a_missing_vocabulary_says_what_it_costs(filled, no_engine, monkeypatch):
    monkeypatch.setenv("PRIORSCOPE_CACHE", str(filled.root / "empty"))
    other = texts_of(open_page("priors", model=filled.model.name))
    assert "not here yet" in other
    assert "fetched first" not in other
    assert "Its pace is not known here yet." in other
    assert "113.2 MB at most" in texts_of(open_page("priors"))
