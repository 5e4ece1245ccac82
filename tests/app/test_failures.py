"""What a page says when its own code fails."""

import pytest
from streamlit.testing.v1 import AppTest

from core.store import Store, find_job
from tests.app.conftest import ROOT, open_page


def _broken(*_: object, **__: object) -> None:
    raise KeyError("a *strange* [thing](x)")


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("tune", "pages.tune_parts.run.read_losses"),
        ("compare", "pages.compare_parts.map.read_prompts"),
        ("activations", "pages.widgets.choices.describe_model"),
        ("system", "core.engine.client.engine_state"),
    ],
)
def test_an_unexpected_failure_is_one_line_and_the_log_has_the_rest(
    name, place, filled, no_engine, monkeypatch, caplog
):
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    app.run()
    monkeypatch.setattr(place, _broken)
    app.query_params["model"] = filled.model.name
    app.switch_page(f"pages/{name}.py").run()
    assert not app.exception
    assert [error.value for error in app.error] == [
        r"This page failed: KeyError\: 'a \*strange\* \[thing\]\(x\)'. The server's log has the details."
    ]
    told = next(record for record in caplog.records if record.name == "pages.widgets.layout")
    assert told.exc_info is not None
    assert told.exc_info[0] is KeyError


def test_a_failure_while_a_run_is_watched_is_one_line_too(filled, no_engine, monkeypatch):
    find_job(Store(filled.root), filled.run).update(state="running", done=1, total=4)
    app = open_page("tune", model=filled.model.name, run=filled.run)
    monkeypatch.setattr("pages.widgets.jobs.describe", _broken)
    app.run()
    assert not app.exception
    assert [error.value.split(":")[0] for error in app.error] == ["This page failed"]
