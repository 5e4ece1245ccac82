"""Text from outside is shown, never obeyed as Markdown."""

import json

import pytest

from core.store import Store, find_job
from tests.app.conftest import open_page, texts_of
from tests.app.test_pages import PAGES

IMAGE = "![x](http://elsewhere.example/x.png)"


@pytest.mark.parametrize("name", PAGES)
def test_no_text_of_an_address_is_obeyed_as_markdown(name, filled, no_engine):
    names = ("model", "prior", "run", "runs", "data", "site", "path", "module")
    app = open_page(name, **dict.fromkeys(names, IMAGE), files=json.dumps([IMAGE]))
    assert "![" not in texts_of(app)


def test_no_text_of_a_job_is_obeyed_as_markdown(filled, no_engine):
    job = find_job(Store(filled.root), filled.run)
    for state in ("running", "failed"):
        job.update(state=state, message=IMAGE, error=IMAGE)
        for name in ("tune", "system"):
            app = open_page(name, model=filled.model.name, run=filled.run)
            shown = texts_of(app) + "".join(bar.proto.text for bar in app.get("progress"))
            assert "elsewhere" in shown
            assert "![" not in shown


def test_a_prior_that_the_form_cannot_make_is_told_as_plain_text(filled, no_engine, monkeypatch):
    from core.errors import BadRequest
    from pages.widgets import forms

    parse = forms.parse_prior

    def refuse(asked):
        if isinstance(asked, dict):
            raise BadRequest(IMAGE)
        return parse(asked)

    monkeypatch.setattr(forms, "parse_prior", refuse)
    app = open_page("priors", model=filled.model.name)
    assert "elsewhere" in app.error[0].value
    assert "![" not in texts_of(app)
