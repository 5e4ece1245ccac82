"""The matrix of the Findings page in a real browser: a click on a cell opens the claim on its study."""

import re

from playwright.sync_api import FloatRect, Page, expect

from core.engine.lookup import job_id
from core.specs import StudyItemSpec, StudySpec
from core.store import Store, create_job
from core.studies.claims import CLAIMS
from core.studies.figure import keep
from core.studies.items import KIND, VERSION
from tests.browser.conftest import App
from tests.unit.studies.claims.planted_runs import RunsBench, wobbled


def plant(app: App, study: StudySpec, noise: float) -> None:
    """Keep a judgement of C10 as its job would."""
    spec = StudyItemSpec(study=study, item="claim-10")
    job = create_job(app.store, KIND, spec.as_json(), job_id(KIND, spec))
    judged = CLAIMS[10].judge(RunsBench(Store(app.store.root / f"runs-{noise}"), wobbled({}, noise)))
    job.write_result({"version": VERSION, **keep(CLAIMS[10].reproduced(judged, study), job.path), "seconds": 1.0})
    job.update(state="succeeded")


def click(page: Page, verdict: str) -> None:
    """Click on the leftmost cell of C10 with a verdict; Plotly takes clicks by place, on a layer above the texts."""

    def boxes(words: str) -> list[FloatRect]:
        return [
            box for one in page.locator(".js-plotly-plot text", has_text=words).all() if (box := one.bounding_box())
        ]

    expect(page.locator(".js-plotly-plot text", has_text="C10 ")).to_have_count(1)  # none is about to be replaced
    (row,) = boxes("C10 ")
    cells = [box for box in boxes(verdict) if abs(box["y"] - row["y"]) < row["height"]]
    box = min(cells, key=lambda box: box["x"])
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


def test_a_click_on_a_cell_opens_the_claim_on_its_study(app: App, page: Page):
    study = StudySpec.asked("quick")
    plant(app, study, 1)
    plant(app, study.model_copy(update={"steps": 77}), 10)
    page.goto(f"{app.url}/findings?study=quick")
    expect(page.get_by_text("C1 has not been judged on this study yet")).to_be_visible()
    click(page, "undecided")
    expect(page.get_by_role("heading", name=re.compile("^C10 · Prepend-and-cut"))).to_be_visible()
    expect(page.get_by_text(re.compile("Rests on smollm2-135m.*at most 77 steps"))).to_be_visible()
    assert "claim=10" in page.url
    assert "study=" in page.url
    click(page, "✓ holds")
    expect(page.get_by_text(re.compile(f"Rests on smollm2-135m.*at most {study.steps} steps"))).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name=re.compile("^C10 · Prepend-and-cut"))).to_be_visible()
    page.screenshot(path=app.screenshots / "findings-matrix.png")
