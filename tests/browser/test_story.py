"""Story in a real browser, by the keyboard, on a finished study and an empty cache."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from core.store import Store
from pages.story_parts.screens import SCREENS
from tests.browser.conftest import App, app_on
from tests.browser.test_walk import Walker
from tests.finished import finished_study
from tests.served import ROOT

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]
PROGRAM = """
import runpy
from pathlib import Path
from core.studies import shipped
shipped.FINISHED = Path({folder!r})
runpy.run_path({app!r}, run_name="__main__")
"""
"""The app of a program that a finished study came with."""


@pytest.fixture
def told(tmp_path: Path) -> Iterator[App]:
    """Return the app with a finished study and an empty cache."""
    program = finished_study(tmp_path).folder.parent
    script = tmp_path / "app.py"
    script.write_text(PROGRAM.format(folder=str(program), app=str(ROOT / "app.py")))
    with app_on(Store(tmp_path / "cache"), tmp_path, script) as opened:
        yield opened


def test_the_story_is_told_by_the_keyboard_on_an_empty_cache(told: App, page: Page):
    walker = Walker(page, told, 60)
    page.goto(f"{told.url}/story")
    for number, screen in enumerate(SCREENS, 1):
        expect(page.get_by_role("heading", name=screen.sentence)).to_be_visible()
        walker.quiet()
        walker.plot()
        assert number == 1 or f"screen={number}" in page.url
        walker.picture(f"story-{number}")
        page.keyboard.press("ArrowRight")
    walker.quiet()
    expect(page.get_by_role("heading", name=SCREENS[-1].sentence)).to_be_visible()

    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("heading", name=SCREENS[-2].sentence)).to_be_visible()
    page.get_by_role("radio", name="1", exact=True).click()
    page.get_by_role("radio", name="On a higher layer").click()
    expect(page.get_by_text("Caption of figure-2.")).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("heading", name=SCREENS[1].sentence)).to_be_visible()

    page.keyboard.press("f")
    expect(page.get_by_role("button", name="Leave full screen")).to_be_visible()
    expect(page.get_by_test_id("stHeader")).to_be_hidden()
    page.wait_for_function("Boolean(document.fullscreenElement)")
    page.keyboard.press("f")
    expect(page.get_by_test_id("stHeader")).to_be_visible()
    page.wait_for_function("!document.fullscreenElement")
    page.reload()
    expect(page.get_by_role("heading", name=SCREENS[1].sentence)).to_be_visible()
    assert not list((told.store.root / "jobs").glob("*"))
    assert not walker.problems


def test_overview_opens_on_pictures_on_an_empty_cache_and_leads_on(told: App, page: Page):
    walker = Walker(page, told, 60)
    page.goto(told.url)
    walker.settled("Overview")
    walker.plot()
    expect(page.locator(".js-plotly-plot")).to_have_count(3)
    walker.drawn()
    page.locator(".js-plotly-plot .slider-rail-touch-rect").first.click(position={"x": 6, "y": 6}, force=True)
    expect(page.locator(".js-plotly-plot .slider-label").first).to_have_text("step 0")
    walker.picture("overview-opens")
    page.get_by_role("link", name="The story in seven screens").click()
    expect(page.get_by_role("heading", name=SCREENS[0].sentence)).to_be_visible()
