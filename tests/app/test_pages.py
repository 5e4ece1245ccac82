"""What holds for every page."""

import pytest

from pages.widgets import steady_chart
from tests.app.conftest import PAGES, Content, open_page, texts_of


@pytest.mark.parametrize("name", PAGES)
def test_every_page_opens_on_an_empty_store(name, store, no_engine):
    app = open_page(name)
    assert [title.value for title in app.header] == [name.capitalize()]
    assert not app.error
    assert no_engine == []


@pytest.mark.parametrize("name", PAGES)
def test_every_page_opens_on_a_filled_store(name, filled: Content, no_engine):
    app = open_page(name, model=filled.model.name)
    assert [title.value for title in app.header] == [name.capitalize()]
    assert not app.error


def test_device_and_number_format_can_be_chosen_and_are_in_the_address(filled, no_engine):
    app = open_page("tune", model=filled.model.name, device="cpu")
    app.selectbox(key="model.dtype").select("float32").run()
    assert (app.query_params["device"], app.query_params["dtype"]) == ("cpu", "float32")
    next(button for button in app.button if button.label == "Start tuning").click().run()
    assert (no_engine[0][1].model.device, no_engine[0][1].model.dtype) == ("cpu", "float32")
    app.switch_page("pages/activations.py").run()
    assert app.selectbox(key="model.dtype").value == "float32"


def test_unknown_models_are_told_in_one_line(store, no_engine):
    app = open_page("activations", model="no-such-model")
    shown = texts_of(app).replace("\\", "")
    assert "Unknown model 'no-such-model'" in shown
    assert "Did you mean" in shown or "Or give a hub id" in shown


def test_a_visit_loads_the_code_of_charts_ahead_once(store, monkeypatch):
    loaded, load_ahead = [], steady_chart.load_ahead

    def load(key: str) -> None:
        loaded.append(key)
        load_ahead(key)

    monkeypatch.setattr(steady_chart, "load_ahead", load)
    app = open_page("priors")
    app.run()
    app.run()
    assert len(loaded) == 1
