"""Stores to open the pages on: an empty one, and one with a small model's real content."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest, app_test

from core.specs import CloudSpec, DatasetSpec, ModelSpec, ProjectionSpec, TuningSpec, parse_prior
from core.store import JobFolder, Store, create_job

ROOT = Path(__file__).resolve().parents[2]
FAILED = "This page failed"
TEXT = "One day a little girl saw a big red ball. She was very happy. "
PAGES = ("overview", "story", "activations", "trajectories", "priors", "tune", "compare", "findings", "system")


class _NamedPages(PagesManager):
    """The pages as a server has them once `app.py` has named them; AppTest begins each run with the folder's list."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        PagesManager.uses_pages_directory = False


app_test.PagesManager = _NamedPages  # pyright: ignore[reportPrivateImportUsage]


@dataclass(frozen=True)
class Content:
    """What the filled store holds."""

    root: Path
    model: ModelSpec
    dataset: DatasetSpec
    cloud: CloudSpec
    vocabulary_map: ProjectionSpec
    cloud_map: ProjectionSpec
    tuning: TuningSpec
    run: str


@pytest.fixture(scope="session")
def content(tmp_path_factory: pytest.TempPathFactory, tiny_folder: Path) -> Content:
    """Build a store once through the core: vocabulary, capture, two maps, and one run on the tiny model."""
    from core.activations.capture import capture
    from core.activations.vocabulary import vocabulary_cloud
    from core.jobs.projection import fit_projection
    from core.progress import silent
    from core.tuning.run import tune

    root = tmp_path_factory.mktemp("filled")
    store = Store(root / "cache")
    texts = root / "stories.txt"
    texts.write_text("\n\n".join(TEXT + TEXT[: 5 + i] for i in range(30)))
    model = ModelSpec(name=str(tiny_folder))
    dataset = DatasetSpec(name="file", path=str(texts), samples=30)
    cloud = CloudSpec(model=model, dataset=dataset, sites=(0,), rows=500)
    vocabulary_cloud(model, store)
    capture(cloud, store)
    vocabulary_map = ProjectionSpec(model=model, vocabulary=True, n_components=3)
    cloud_map = ProjectionSpec(model=model, clouds=(cloud,), n_components=3, n_points=500)
    for i, spec in enumerate((vocabulary_map, cloud_map)):
        fit_projection(spec, create_job(store, "projection", spec.as_json(), f"p-{i}"), store, silent)
    tuning = TuningSpec(
        model=model,
        dataset=dataset,
        prior=parse_prior("gaussian"),
        n_prompt=4,
        steps=4,
        batch_size=4,
        evaluate_every=2,
        snapshot_every=1,
        n_validation=4,
        n_generation=0,
        max_length=64,
    )
    job = create_job(store, "tune", tuning.as_json(), "t-tiny")
    job.write_result(tune(tuning, job, store))
    job.update(state="succeeded", done=4, total=4)
    return Content(store.root, model, dataset, cloud, vocabulary_map, cloud_map, tuning, job.id)


@pytest.fixture
def filled(content: Content, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Content:
    """Use a copy of the filled store, so that a test may spoil it."""
    shutil.copytree(content.root, tmp_path / "cache")
    monkeypatch.setenv("PRIORSCOPE_CACHE", str(tmp_path / "cache"))
    return Content(**{**content.__dict__, "root": tmp_path / "cache"})


@pytest.fixture
def no_engine(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, object]]:
    """Record what pages submit instead of starting an engine."""
    from core.engine import client

    submitted: list[tuple[str, object]] = []

    def submit(kind, spec, store, again=False) -> JobFolder:
        submitted.append((kind, spec))
        return client.prepare(kind, spec, store, again)

    monkeypatch.setattr(client, "submit", submit)
    monkeypatch.setattr(client, "revive", lambda _: False)
    return submitted


def open_page(name: str, **params: str) -> AppTest:
    """Open a page with parameters in its address."""
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    for key, value in params.items():
        app.query_params[key] = value
    app.run()
    if name != "overview":
        app.switch_page(f"pages/{name}.py").run()
    assert not app.exception, app.exception
    assert not [error.value for error in app.error if FAILED in error.value]
    return app


def texts_of(app: AppTest) -> str:
    """Return all text that a page shows in paragraphs, captions and boxes."""
    parts = [*app.markdown, *app.caption, *app.info, *app.warning, *app.error, *app.success]
    return "\n".join(str(part.value) for part in parts)


def table_of(app: AppTest, *columns: str) -> pd.DataFrame:
    """Return the one table on a page that has these columns."""
    tables = [pd.DataFrame(table.value) for table in app.dataframe]
    found = [table for table in tables if set(columns) <= set(table.columns)]
    assert len(found) == 1, [list(table.columns) for table in tables]
    return found[0]


def charts_of(app: AppTest) -> list[dict]:
    """Return the figures that a page draws, as JSON data, in the order of the page."""
    return [_figure_of(node) for node in app.main if node.type in ("plotly_chart", "bidi_component")]


def _figure_of(node: Any) -> dict:
    """Return the figure of Streamlit's chart, or of one that stays while its figure changes."""
    if node.type == "bidi_component":
        return json.loads(node.proto.bytes)["figure"]
    return json.loads(node.proto.spec or node.proto.figure.spec)
