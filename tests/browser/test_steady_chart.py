"""A chart that stays while its figure changes, in a small script of its own, served under a path as behind a proxy."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import App
from tests.served import served

pytestmark = pytest.mark.browser
SCRIPT = """
import numpy as np
import plotly.graph_objects as go
import streamlit as st

from pages.widgets.layout import redraw

c = st.select_slider("c", range(10), 3)
which = st.segmented_control("Map", ["first", "second"], default="first")
cloud = np.random.default_rng(0).uniform(-1, 1, (5000, 2))
figure = go.Figure(
    [
        go.Scattergl(x=cloud[:, 0], y=cloud[:, 1], mode="markers", name="cloud"),
        go.Scattergl(x=[c], y=[0.0], mode="markers", name="sample"),
    ],
    {"uirevision": which, "xaxis": {"range": [-10, 10]}, "height": 400},
)
redraw(figure, "map", "A sample beside a cloud")
"""
CHART = "document.querySelector('.js-plotly-plot')"
NOW = f"""() => {{ const chart = {CHART}; return {{
    range: chart._fullLayout.xaxis.range, hidden: chart._fullData.map(trace => trace.visible), c: chart.data[1].x[0],
    same: chart.marked === true, height: chart.clientHeight }} }}"""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("steady")
    (folder / "script.py").write_text(SCRIPT)
    with served(folder / "script.py", folder / "cache", folder / "log.txt", under="lab") as url:
        yield url


def now(page: Page, c: int) -> dict[str, Any]:
    """Return what the chart shows once its sample stands at c."""
    page.wait_for_function(f"c => {CHART}?.data?.[1].x[0] === c", arg=c)
    return page.evaluate(NOW)


def zoom(page: Page) -> None:
    """Draw a frame around a part of the chart, as a person does, and wait until it is the whole."""
    box: Any = page.locator(".nsewdrag").first.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 4)
    page.mouse.down()
    page.mouse.move(box["x"] + 3 * box["width"] / 4, box["y"] + 3 * box["height"] / 4, steps=5)
    page.mouse.up()
    page.wait_for_function(f"() => {CHART}._fullLayout.xaxis.range[0] > -10")


def test_zoom_and_hidden_layers_stay_with_the_map_that_a_person_gave_them_to(page: Page, address: str):
    page.goto(address)
    assert now(page, 3)["range"] == [-10, 10]
    page.evaluate(f"() => {{ {CHART}.marked = true }}")
    zoom(page)
    page.locator(".legendtoggle").first.click()
    page.wait_for_function(f"() => {CHART}.data[0].visible === 'legendonly'")
    zoomed = now(page, 3)["range"]
    assert -10 < zoomed[0] < zoomed[1] < 10
    page.get_by_role("slider").press("ArrowRight")
    assert now(page, 4) == {"range": zoomed, "hidden": ["legendonly", True], "c": 4, "same": True, "height": 400}

    page.get_by_role("radio", name="second").click()
    page.wait_for_function(f"() => {CHART}.layout.uirevision === 'second'")
    page.wait_for_function(f"() => {CHART}._fullLayout.xaxis.range[0] === -10")
    assert now(page, 4)["hidden"] == [True, True]
    expect(page.get_by_role("figure", name="A sample beside a cloud")).to_be_visible()


def test_a_person_draws_it_over_the_whole_screen_and_back(page: Page, address: str):
    page.goto(address)
    now(page, 3)
    page.locator(".js-plotly-plot").hover()
    page.locator('[data-title="Full screen"]').click()
    page.wait_for_function(f"() => {CHART}.clientHeight === window.innerHeight && {CHART}._fullLayout.height > 400")
    page.evaluate("() => document.exitFullscreen()")
    page.wait_for_function(f"() => {CHART}._fullLayout.height === 400")


def test_a_chart_whose_code_does_not_come_says_so_and_the_next_figure_tries_again(page: Page, address: str):
    page.route("**/plotly.min.js", lambda route: route.abort())
    page.goto(address)
    failed = page.get_by_text("The chart's code did not come from")
    expect(failed).to_contain_text("Reload the page")
    page.unroute("**/plotly.min.js")
    page.get_by_role("slider").press("ArrowRight")
    now(page, 4)
    expect(failed).to_have_count(0)


def test_a_page_that_begins_with_such_a_chart_has_its_code_loaded_before_there_is_a_figure(page: Page, app: App):
    with page.expect_response("**/plotly.min.js") as response:
        page.goto(f"{app.url}/priors")
    assert response.value.ok
    expect(page.get_by_text("Cite this view")).to_be_visible()
    page.wait_for_function("() => window.Plotly")
    expect(page.locator(".js-plotly-plot:visible")).to_have_count(0)
