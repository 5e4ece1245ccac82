"""Looking closer in a real browser: lasso → sentences → other sites; search; a shared address opens the same view."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from core.activations.capture import capture
from core.jobs.projection import fit_projection
from core.progress import silent
from core.specs import CloudSpec, DatasetSpec, ModelSpec, ProjectionSpec
from core.store import create_job
from tests.browser.conftest import App
from tests.browser.test_walk import Walker

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]
TEXT = "One day a little girl saw a big red ball. She was very happy. "
N_POINTS = 500
LIT = """() => document.querySelector(".js-plotly-plot").data.map(trace => (trace.selectedpoints ?? []).length)
    .reduce((sum, n) => sum + n, 0)"""
"""In the browser: how many points of the first figure are lit."""
SELECTED = re.compile(r"([\d,]+) tokens selected")
LASSO = ((0.1, 0.1), (0.6, 0.05), (0.6, 0.95), (0.1, 0.9), (0.1, 0.1))
"""Corners, as shares of the map's width and height."""


@pytest.fixture
def address(app: App, tiny_folder: Path, tmp_path: Path) -> str:
    """Capture every site of the tiny model, fit the maps of all, and return the address of the first."""
    path = tmp_path / "stories.txt"
    path.write_text("\n\n".join(TEXT + TEXT[: 5 + i] for i in range(30)))
    model = ModelSpec(name=str(tiny_folder))
    cloud = CloudSpec(model=model, dataset=DatasetSpec(name="file", path=str(path), samples=30), rows=N_POINTS)
    capture(cloud, app.store)
    for site in (0, 1, 2, "final"):
        there = cloud.model_copy(update={"sites": (site,)})
        spec = ProjectionSpec(model=model, site=site, clouds=(there,), n_points=N_POINTS, n_components=3)
        job = create_job(app.store, "projection", spec.as_json(), f"p-{site}")
        fit_projection(spec, job, app.store, silent)
    asked = {"model": model.name, "data": '["file"]', "path": str(path), "samples": 30, "rows": N_POINTS}
    return f"{app.url}/activations?{urlencode(asked)}"


def _open(page: Page, app: App, url: str) -> Walker:
    walker = Walker(page, app, 60)
    page.goto(url)
    walker.settled("Activations")
    walker.plot()
    walker.drawn()
    return walker


def _lasso(page: Page) -> None:
    frame = page.locator(".js-plotly-plot .nsewdrag").first
    frame.evaluate("element => element.scrollIntoView({block: 'center'})")
    box: Any = frame.bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in LASSO]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=5)
    page.mouse.up()


def _selected(page: Page) -> int:
    told = page.get_by_text(SELECTED)
    expect(told).to_be_visible()
    found = SELECTED.search(told.inner_text())
    assert found
    return int(found.group(1).replace(",", ""))


def test_a_lasso_is_listed_and_lit_at_other_sites_and_undone(app: App, page: Page, address: str):
    walker = _open(page, app, address)
    _lasso(page)
    n = _selected(page)
    walker.quiet()
    assert 0 < n < N_POINTS
    assert page.evaluate(LIT) == n
    page.wait_for_url(re.compile(r"[?&]selection="))
    expect(page.get_by_test_id("stDataFrame").first).to_be_visible()
    page.get_by_test_id("stDataFrame").first.click(position={"x": 18, "y": 55})
    page.wait_for_url(re.compile(r"[?&]token="))
    walker.quiet()
    page.wait_for_function(f"({LIT})() === {n}")
    walker.picture("closer-lasso")

    walker.pick("Site", "1 · entering block 1")
    page.wait_for_url(re.compile(r"[?&]site=1"))
    walker.quiet()
    assert _selected(page) == n
    page.wait_for_function(f"({LIT})() === {n}")
    page.get_by_role("radio", name="At other sites").click()
    expect(page.get_by_text(f"The {n} selected tokens on the principal components of each site")).to_be_visible()
    expect(page.locator(".js-plotly-plot").nth(1).get_by_text("site final")).to_be_visible()
    walker.picture("closer-sites")

    page.get_by_role("radio", name="Selected", exact=True).click()
    walker.press("Undo")
    expect(page.get_by_text("Nothing is selected.")).to_be_visible()
    page.wait_for_function(f"({LIT})() === 0")
    page.wait_for_url(lambda url: "selection=" not in url)
    assert not walker.problems


def test_a_second_lasso_adds_or_removes(app: App, page: Page, address: str):
    walker = _open(page, app, address)
    _lasso(page)
    n = _selected(page)
    walker.quiet()
    page.get_by_role("radio", name="Remove", exact=True).click()
    walker.quiet()
    _lasso(page)
    expect(page.get_by_text("Nothing is selected.")).to_be_visible()
    walker.quiet()
    page.get_by_role("radio", name="Add", exact=True).click()
    walker.quiet()
    _lasso(page)
    assert _selected(page) == n
    page.wait_for_function(f"({LIT})() === {n}")
    assert not walker.problems


def test_a_shared_address_opens_the_same_view_with_the_same_selection(app: App, page: Page, address: str):
    walker = _open(page, app, address)
    field = page.get_by_placeholder("Search a token or a text")
    field.fill("b")
    field.press("Enter")
    page.get_by_role("radio", name="Found", exact=True).click()
    told = page.get_by_text(re.compile(r"of 500 tokens found"))
    expect(told).to_be_visible()
    found = re.match(r"(\d+) of 500 tokens found", told.inner_text())
    assert found
    n = int(found.group(1))
    walker.press("Select them")
    page.wait_for_url(re.compile(r"[?&]selection="))
    page.get_by_role("radio", name="Position", exact=True).click()
    page.wait_for_url(re.compile(r"[?&]colour=position"))
    walker.quiet()
    page.wait_for_function(f"({LIT})() === {n}")

    other = page.context.new_page()
    again = _open(other, app, page.url)
    expect(other.get_by_placeholder("Search a token or a text")).to_have_value("b")
    expect(other.get_by_text(f"{n} of 500 tokens found")).to_be_visible()
    expect(other.get_by_role("radio", name="Position", exact=True)).to_be_checked()
    other.wait_for_function(f"({LIT})() === {n}")
    other.get_by_role("radio", name="Selected", exact=True).click()
    assert _selected(other) == n
    assert not [*walker.problems, *again.problems]
