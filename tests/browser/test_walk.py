"""The first thing a newcomer does, in a real browser: demo, activations, prior, tuning, comparison."""

import json
import re
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from core.store import list_jobs
from pages.widgets.pages import NAMES
from tests.browser.conftest import App

SECOND = 1000
FIGURES_FIT = """() => [...document.querySelectorAll(".js-plotly-plot")].every(
    figure => figure._fullLayout && Math.abs(figure._fullLayout.width - figure.clientWidth) <= 1
)"""
"""In the browser: whether plotly has laid out every figure for the width it has now."""
pytestmark = [pytest.mark.browser, pytest.mark.timeout(1800)]


class Walker:
    """A person who clicks through the app and takes pictures."""

    def __init__(self, page: Page, app: App, job_seconds: int) -> None:
        self.page, self.app, self.patience = page, app, job_seconds * SECOND
        page.set_default_timeout(30 * SECOND)
        self.problems: list[str] = []
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("request", self._stays_home)

    def _stays_home(self, request) -> None:
        if not request.url.startswith((self.app.url, self.app.url.replace("http", "ws"), "data:", "blob:")):
            self.problems.append(f"asked {request.url}")

    def to(self, title: str) -> None:
        """Follow the navigation to a page."""
        self.page.get_by_test_id("stTopNavLink").filter(has_text=title).click()
        self.settled(title)

    def settled(self, title: str) -> None:
        """Wait until a page stands there and nothing is being computed."""
        expect(self.page.get_by_role("heading", name=title, exact=True)).to_be_visible()
        self.quiet()

    def quiet(self) -> None:
        """Wait until nothing is computed, and no error is shown."""
        idle = '[data-testid="stApp"][data-test-script-state="notRunning"]'
        expect(self.page.locator(idle)).to_be_visible(timeout=self.patience)
        expect(self.page.get_by_test_id("stException")).to_have_count(0)
        expect(self.page.locator('[data-testid="stAlertContentError"]')).to_have_count(0)

    def plot(self, n: int = 0) -> None:
        """Wait until a figure is drawn."""
        expect(self.page.locator(".js-plotly-plot .main-svg, .js-plotly-plot .gl-container").nth(n)).to_be_visible(
            timeout=self.patience
        )

    def drawn(self) -> None:
        """Wait until fonts and figures stand at their last size and the browser has painted them."""
        self.page.evaluate("document.fonts.ready")
        self.page.wait_for_function(FIGURES_FIT)
        self.page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def pick(self, label: str, option: str) -> None:
        """Choose in a select box by typing, as a person does, and wait."""
        self.ask(label, option)
        self.quiet()

    def ask(self, label: str, option: str) -> None:
        """Choose in a select box, and do not wait."""
        box = self.page.get_by_test_id("stSelectbox").filter(has_text=label).get_by_role("combobox")
        box.click()
        box.fill(option)
        box.press("Enter")

    def number(self, label: str, value: float, name: str) -> None:
        """Type a number and press Enter; the page has taken it when its address says so."""
        field = self.page.get_by_label(label, exact=True)
        field.fill(f"{value:g}")
        field.press("Enter")
        self.page.wait_for_url(re.compile(rf"[?&]{name}={value:g}(\.0)?(&|$)"))
        self.quiet()

    def press(self, name: str) -> None:
        """Press a button."""
        self.page.get_by_role("button", name=name).click()

    def picture(self, name: str) -> None:
        """Take a picture of the whole page."""
        main = self.page.get_by_test_id("stMain")
        height = main.evaluate("element => element.scrollHeight")
        self.page.set_viewport_size({"width": 1440, "height": max(1000, min(height, 2600))})
        self.quiet()
        self.drawn()
        self.page.screenshot(path=self.app.screenshots / f"{name}.png")
        self.page.set_viewport_size({"width": 1440, "height": 1000})


def walk(walker: Walker, model: str, texts: str, steps: int) -> None:
    """Go the newcomer's way through all pages."""
    page = walker.page
    page.goto(f"{walker.app.url}/?{urlencode({'model': model})}")
    walker.settled("Overview")
    page.get_by_role("radio", name=texts).click()
    walker.quiet()
    walker.picture("1-overview")
    walker.press("Run the demo")
    expect(page.get_by_role("heading", name="Compare", exact=True)).to_be_visible(timeout=walker.patience)
    walker.settled("Compare")
    assert len(json.loads(_param(page, "runs"))) == 3, "the demo ends on its three runs"
    walker.plot()
    walker.to("Overview")
    expect(page.get_by_text("The demo is ready")).to_be_visible(timeout=walker.patience)
    walker.picture("2-overview-demo-done")

    page.get_by_role("link", name="Activations at site").click()
    walker.settled("Activations")
    walker.plot()
    expect(page.get_by_text("Variance not shown")).to_be_visible()
    walker.picture("3-activations")
    page.get_by_role("radio", name="Token", exact=True).click()
    page.get_by_role("radio", name="3-D").click()
    expect(page.locator(".js-plotly-plot .gl-container canvas").first).to_be_visible(timeout=walker.patience)
    walker.picture("4-activations-3d-by-token")
    page.get_by_role("radio", name="2-D").click()
    page.get_by_role("radio", name="t-SNE").click()
    page.get_by_role("button", name="t-SNE").click()
    walker.number("Iterations", 50, "n_iterations")
    walker.number("Perplexity", 20, "perplexity")
    page.keyboard.press("Escape")
    walker.press("Draw this map")
    expect(page.get_by_text("Components for half the variance")).to_be_visible(timeout=walker.patience)
    walker.picture("5-activations-tsne")

    walker.to("Priors")
    walker.pick("Prior", "Gaussian exclusion")
    walker.plot()
    expect(page.get_by_text("itself a thin shell")).to_be_visible()
    page.get_by_role("radio", name="Exclusion", exact=True).click()
    expect(page.get_by_text("Acceptance", exact=True)).to_be_visible()
    walker.picture("6-priors")
    assert json.loads(_param(page, "prior"))["kind"] == "exclusion"
    walker.press("Tune with this prior")

    walker.settled("Tune")
    expect(page.get_by_role("combobox", name="Prior", exact=True)).to_have_value("Gaussian exclusion")
    walker.number("Steps", steps, "steps")
    walker.number("Evaluate every", steps // 4, "evaluate_every")
    walker.press("Start tuning")
    expect(page.get_by_role("button", name="Cancel")).to_be_visible(timeout=walker.patience)
    walker.plot()
    page.get_by_test_id("stMain").evaluate("element => element.scrollTo(0, 0)")
    page.screenshot(path=walker.app.screenshots / "7-tune-running.png")
    expect(page.get_by_role("link", name="Compare this run")).to_be_visible(timeout=walker.patience)
    walker.picture("8-tune-done")

    page.get_by_role("link", name="Compare this run").click()
    walker.settled("Compare")
    box = page.get_by_role("combobox", name="Runs")
    box.click()
    page.get_by_role("option", name="gaussian").first.click()
    page.keyboard.press("Escape")
    walker.quiet()
    walker.plot()
    expect(page.get_by_role("button", name="Cancel")).to_have_count(0, timeout=walker.patience)  # both are measured
    # While the page is drawn anew, what it showed before may stand there as well for a moment.
    expect(page.get_by_role("heading", name="Nearest tokens").first).to_be_visible(timeout=walker.patience)
    walker.picture("9-compare")

    walker.to("System")
    expect(page.get_by_text("running", exact=True).first).to_be_visible()
    walker.picture("10-system")
    assert {job.kind for job in list_jobs(walker.app.store)} == {
        "demo",
        "vocabulary",
        "projection",
        "capture",
        "tune",
        "measure",
    }
    assert {job.status().state for job in list_jobs(walker.app.store)} == {"succeeded"}
    assert not walker.problems


def _param(page: Page, name: str) -> str:
    return page.evaluate("name => new URLSearchParams(location.search).get(name)", name)


def test_no_page_asks_anybody_but_the_app(app: App, page: Page):
    walker = Walker(page, app, 60)
    for name in ("", "activations", "trajectories", "priors", "tune", "compare", "findings", "system"):
        page.goto(f"{app.url}/{name}")
        walker.settled(name.capitalize() or "Overview")
    assert not walker.problems


def test_a_link_into_a_fresh_server_opens_the_apps_page(app: App, page: Page):
    prior = '{"kind": "isotropic", "spread": 0.5}'
    page.goto(f"{app.url}/priors?{urlencode({'prior': prior})}")
    Walker(page, app, 60).settled("Priors")
    expect(page.get_by_test_id("stTopNavLink")).to_have_count(len(NAMES))
    assert json.loads(_param(page, "prior"))["kind"] == "isotropic"
    expect(page.get_by_role("combobox", name="Prior", exact=True)).to_have_value("Isotropic Gaussian")


def test_a_newcomers_walk_on_the_small_model(app: App, page: Page, stories_folder: Path):
    walk(Walker(page, app, 120), str(stories_folder), "Sums", 40)


@pytest.mark.registry
def test_a_newcomers_walk_on_the_default_model(app: App, page: Page):
    walk(Walker(page, app, 900), "smollm2-135m", "News", 12)
