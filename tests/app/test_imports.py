"""Pages never load torch."""

import ast
import os
import subprocess
import sys

import pytest

from tests.app.conftest import PAGES, ROOT

PROBE = (
    "import sys, {modules}; print([name for name in sys.modules if name.split('.')[0] in ('torch', 'transformers')])"
)


REACHED = (
    "core.engine.client, core.jobs.projection, core.store.maintenance, core.sources.report, pages.maps.clouds, "
    "pages.widgets.choices, pages.widgets.forms, pages.widgets.jobs, pages.widgets.runs, pages.overview_parts.demo, "
    "pages.widgets.pages, pages.compare_parts.map, pages.compare_parts.tables, pages.compare_parts.measures, "
    "pages.trajectories_parts.documents, pages.trajectories_parts.picture, core.jobs.paths, "
    "core.analysis.collapse, core.analysis.definitions, core.jobs.comparison, core.figures.cloud_map, core.priors, "
    "pages.activations_parts.closer, pages.tune_parts.sweeps.live, pages.tune_parts.sweeps.form, "
    "pages.story_parts.screens"
)


def _loaded(modules: str) -> str:
    told = subprocess.run(
        [sys.executable, "-c", PROBE.format(modules=modules)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return told.stdout.strip()


def test_what_pages_import_is_free_of_torch():
    assert _loaded(REACHED) == "[]"


def test_the_heading_of_a_page_waits_for_nothing_heavy():
    heavy = "numpy", "pydantic", "pandas", "scipy", "sklearn", "openTSNE", "dask", "datasets", "torch"
    probe = f"import sys, pages.widgets.pages; print(set({heavy!r}) & set(sys.modules))"
    told = subprocess.run([sys.executable, "-c", probe], cwd=ROOT, capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "set()"


def test_the_first_picture_of_overview_waits_for_no_figure_maker():
    heavy = "core.studies.items", "core.studies.judgements", "core.jobs.demo", "scipy", "sklearn", "openTSNE", "torch"
    probe = f"import sys, pages.overview_parts.pictures; print(set({heavy!r}) & set(sys.modules))"
    told = subprocess.run([sys.executable, "-c", probe], cwd=ROOT, capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "set()"


@pytest.mark.parametrize("script", ["app.py", *(f"pages/{name}.py" for name in PAGES)])
def test_a_script_imports_only_what_the_heading_needs_before_it_is_drawn(script):
    statements = ast.parse((ROOT / script).read_text(encoding="utf-8")).body
    texts = [ast.unparse(one) for one in statements]
    drawn = next(i for i, text in enumerate(texts) if text in ("page = open_page()", "through_app()"))
    imported = [one for one in statements[:drawn] if isinstance(one, ast.Import | ast.ImportFrom)]
    names = {one.module if isinstance(one, ast.ImportFrom) else one.names[0].name for one in imported}
    assert names == {"streamlit", "pages.widgets.pages"}


def test_that_test_can_fail():
    assert "torch" in _loaded("torch")


def test_every_page_is_free_of_torch_when_it_has_run(filled):
    script = (
        "import sys\n"
        "from core.engine import client\n"
        "from core.store import create_job\n"
        "from tests.app.conftest import open_page\n"
        "client.submit = lambda kind, spec, store, again: create_job(store, kind, spec.as_json(), kind)\n"
        "client.revive = lambda store: False\n"
        f"for name in {PAGES!r}:\n    open_page(name, model={filled.model.name!r}, runs='[\"{filled.run}\"]')\n"
        "print([name for name in sys.modules if name.split('.')[0] in ('torch', 'transformers')])"
    )
    environment = {**os.environ, "PRIORSCOPE_CACHE": str(filled.root)}
    told = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == "[]"
