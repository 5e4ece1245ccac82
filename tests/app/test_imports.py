"""Pages never load torch."""

import os
import subprocess
import sys

from tests.app.conftest import PAGES, ROOT

PROBE = (
    "import sys, {modules}; print([name for name in sys.modules if name.split('.')[0] in ('torch', 'transformers')])"
)


REACHED = (
    "core.engine.client, core.jobs.projection, core.store.maintenance, core.sources.report, pages.widgets.clouds, "
    "pages.widgets.choices, pages.widgets.forms, pages.widgets.jobs, pages.widgets.runs, pages.overview_parts.demo, "
    "pages.widgets.pages, pages.compare_parts.map, pages.compare_parts.tables, pages.compare_parts.measures, "
    "pages.trajectories_parts.documents, pages.trajectories_parts.picture, core.jobs.paths, "
    "core.analysis.collapse, core.analysis.definitions, core.jobs.comparison, core.figures.cloud_map, core.priors, "
    "pages.activations_parts.closer, pages.tune_parts.sweeps.choose, pages.tune_parts.sweeps.form"
)


def _loaded(modules: str) -> str:
    told = subprocess.run(
        [sys.executable, "-c", PROBE.format(modules=modules)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return told.stdout.strip()


def test_what_pages_import_is_free_of_torch():
    assert _loaded(REACHED) == "[]"


def test_the_heading_of_a_page_waits_for_nothing_heavy():
    heavy = "pandas", "scipy", "sklearn", "openTSNE", "dask", "distributed", "datasets", "torch"
    probe = f"import sys, pages.widgets.pages, pages.widgets.icon; print(set({heavy!r}) & set(sys.modules))"
    told = subprocess.run([sys.executable, "-c", probe], cwd=ROOT, capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "set()"


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
