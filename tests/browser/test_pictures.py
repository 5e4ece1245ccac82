"""The pictures of the README: small, and of what the pages really show. They are made again by

PRIORSCOPE_PICTURES_CACHE=cache PRIORSCOPE_TEST_REGISTRY=1 PRIORSCOPE_SCREENSHOTS=docs/images \\
    pytest tests/browser/test_pictures.py -k default

in a cache folder of one's own; what is missing in it (two captures, three short deep runs and their measures; about
five minutes) is made first. The same way is gone on the small model in every test run.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page

from core.engine import client
from core.jobs.measure import measure_spec
from core.specs import CloudSpec, DatasetSpec, ModelSpec, ProjectionSpec, TuningSpec
from core.store import Store, find_job
from core.store.prompts import read_prompts
from tests.browser.conftest import App, app_on
from tests.browser.test_walk import Walker

FOLDER = "PRIORSCOPE_PICTURES_CACHE"
WIDTH = 1280
HEIGHTS = {"activations": 1120, "priors": 930, "compare": 1012, "overview": 1180}
COLOURS = 160
"""Of a picture's palette: a third of the bytes, and no eye sees it."""
MOST_BYTES = 200_000
JOB_SECONDS = 900
PRIORS = ("gaussian", "vocabulary", "xavier")
pytestmark = [pytest.mark.browser, pytest.mark.timeout(1800)]


@dataclass(frozen=True)
class Subject:
    """What is pictured: a model, data and how deep to look."""

    model: ModelSpec
    data: tuple[DatasetSpec, ...]
    site: int
    prompt_sites: tuple[int, ...]
    steps: int = 60

    def run(self, prior: str) -> TuningSpec:
        """Return the short deep run of a prior."""
        return TuningSpec.parse(
            {
                "model": self.model,
                "dataset": DatasetSpec(name="math"),
                "method": "deep",
                "prior": prior,
                "prompt_sites": self.prompt_sites,
                "rate_unit": "relative",
                "learning_rate": 0.03,
                "steps": self.steps,
                "n_generation": 16,
            }
        )


def needed(subject: Subject, store: Store) -> list[str]:
    """Have everything made that the pictures show, and return the runs."""

    def done(kind: str, spec: Any) -> str:
        job = client.submit(kind, spec, store)
        status = client.wait(job, timeout=JOB_SECONDS)
        assert status.state == "succeeded", status.error or status.state
        return job.id

    clouds = [CloudSpec(model=subject.model, dataset=data) for data in subject.data]
    done("vocabulary", subject.model)
    for cloud in clouds:
        done("capture", cloud)
    runs = [done("tune", subject.run(prior)) for prior in PRIORS]
    for run in runs:
        done("measure", measure_spec(find_job(store, run)))
    at_site = tuple(cloud.model_copy(update={"sites": (subject.site,)}) for cloud in clouds)
    done("projection", ProjectionSpec(model=subject.model, vocabulary=True, n_components=3))
    done("projection", ProjectionSpec(model=subject.model, site=subject.site, clouds=at_site, n_components=3))
    return runs


def addresses(subject: Subject, runs: list[str], last: int) -> dict[str, tuple[str, str, dict[str, str]]]:
    """Return the pictures: file, title of the page, page and what is chosen on it."""
    model = {"model": subject.model.name}
    data = {"data": json.dumps([data.name for data in subject.data]), "samples": str(subject.data[0].samples)}
    shown = [json.dumps({"kind": kind}) for kind in ("gaussian", "isotropic", "exclusion")]
    priors = {"prior": shown[0], "prior2": shown[1], "prior3": shown[2], "n": "60"}
    compared = {"runs": json.dumps(runs), "site": str(last), "arrangement": "multiples"}
    return {
        "overview": ("Overview", "", {}),
        "activations": ("Activations", "activations", {**model, **data, "site": str(subject.site)}),
        "priors": ("Priors", "priors", {**model, **priors, "shown": "panels"}),
        "compare": ("Compare", "compare", compared),
    }


def take(page: Page, app: App, subject: Subject) -> list[Path]:
    """Take all pictures and return their files."""
    runs = needed(subject, app.store)
    walker = Walker(page, app, JOB_SECONDS)
    prompts = read_prompts(find_job(app.store, runs[0]))
    assert prompts is not None
    wanted = addresses(subject, runs, max(prompts.sites))
    files = []
    for name, (title, where, chosen) in wanted.items():
        page.set_viewport_size({"width": WIDTH, "height": HEIGHTS[name]})
        page.goto(f"{app.url}/{where}?{urlencode(chosen)}")
        walker.settled(title)
        walker.plot()
        walker.drawn()
        files.append(app.screenshots / f"{name}.png")
        page.screenshot(path=files[-1])
        with Image.open(files[-1]) as picture:
            picture.convert("RGB").quantize(COLOURS).save(files[-1], optimize=True)
    assert not walker.problems
    return files


@pytest.fixture
def pictured(chromium: Browser, tmp_path: Path) -> Iterator[App]:
    """Start the app on the cache folder that is named for pictures, else on an empty one."""
    with app_on(Store(Path(os.environ.get(FOLDER, tmp_path / "cache")).resolve()), tmp_path) as opened:
        yield opened


def small(files: list[Path]) -> None:
    assert {path.stem for path in files} >= set(HEIGHTS)
    for path in files:
        assert 5_000 < path.stat().st_size < MOST_BYTES, f"{path.name} has {path.stat().st_size:,} bytes"


@pytest.mark.skipif(FOLDER not in os.environ, reason=f"takes minutes; {FOLDER} names the cache folder to take them in")
@pytest.mark.registry
def test_the_pictures_of_the_default_model(pictured: App, page: Page):
    data = DatasetSpec(name="news", samples=200), DatasetSpec(name="math", samples=200)
    small(take(page, pictured, Subject(ModelSpec(), data, 15, (-3, -2, -1))))


def test_the_pictures_of_a_small_model(app: App, page: Page, stories_folder: Path):
    data = (DatasetSpec(name="math", samples=50),)
    small(take(page, app, Subject(ModelSpec(name=str(stories_folder)), data, 2, (-2, -1), steps=8)))
