"""A question answered token by token in a real browser, on the small model: the path grows, plays, and is shared."""

import json
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from core.activations.capture import capture
from core.activations.vocabulary import vocabulary_cloud
from core.jobs.projection import fit_projection
from core.progress import silent
from core.specs import CloudSpec, DatasetSpec, ModelSpec, ProjectionSpec
from core.store import create_job, list_jobs
from tests.browser.conftest import App
from tests.browser.test_walk import Walker

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

POINTS = """name => {
    const figure = document.querySelector(".js-plotly-plot");
    const trace = figure._fullData.find(trace => trace.name === name && trace.showlegend !== false);
    return trace ? trace.x.length : null;
}"""
"""In the browser: how many points of a trace are drawn now."""


def prepared(app: App, stories: Path, texts: Path) -> dict[str, str]:
    """Make what the page would make first, without the engine, and return the address of the view."""
    texts.write_text("\n\n".join(f"Once upon a time there was a cat number {i}. She was happy." for i in range(20)))
    model = ModelSpec(name=str(stories))
    dataset = DatasetSpec(name="file", path=str(texts), samples=20)
    cloud = CloudSpec(model=model, dataset=dataset, sites=(4,), rows=500)
    vocabulary_cloud(model, app.store)
    capture(cloud, app.store)
    spec = ProjectionSpec(model=model, site=4, clouds=(cloud,), n_points=500, n_components=3)
    fit_projection(spec, create_job(app.store, "projection", spec.as_json(), "p-0"), app.store, silent)
    return {
        "model": str(stories),
        "mode": "generate",
        "question": "Once upon a time",
        "max_new_tokens": "6",
        "site": "4",
        "data": '["file"]',
        "path": str(texts),
        "samples": "20",
        "rows": "500",
    }


def test_an_answer_grows_token_by_token_and_a_shared_address_shows_it(
    app: App, page: Page, stories_folder: Path, tmp_path: Path
):
    walker = Walker(page, app, 120)
    address = prepared(app, stories_folder, tmp_path / "tales.txt")
    page.goto(f"{app.url}/trajectories?{urlencode(address)}")
    walker.settled("Trajectories")
    expect(page.get_by_text("No answer yet.")).to_be_visible()
    page.get_by_role("button", name="Answer", exact=True).click()
    walker.plot()
    walker.quiet()
    walker.drawn()
    assert page.evaluate(POINTS, "answer") == 6
    walker.picture("trajectories-answer")
    page.locator(".js-plotly-plot .slider-rail-touch-rect").click(position={"x": 6, "y": 6}, force=True)
    page.wait_for_function(f"({POINTS})('answer') < 6")
    page.locator(".js-plotly-plot .updatemenu-button").filter(has_text="Play").click()
    page.wait_for_function(f"({POINTS})('answer') === 6")
    expect(page.get_by_text("How these texts move")).to_be_visible()
    shared = page.url
    (job,) = list_jobs(app.store, "trajectory")
    answer = json.loads((job.path / "result.json").read_text())["texts"][0]["answer"]
    assert answer

    other = page.context.new_page()
    second = Walker(other, app, 120)
    other.goto(shared)
    second.settled("Trajectories")
    second.plot()
    second.drawn()
    assert other.evaluate(POINTS, "answer") == 6
    expect(other.get_by_role("button", name="Answer", exact=True)).to_have_count(0)
    assert len(list_jobs(app.store, "trajectory")) == 1
    assert not walker.problems
    assert not second.problems
