"""A public demo: every page opens, and nothing can be started, written or deleted."""

import json
import os
import re
import subprocess
import sys
from importlib.metadata import requires
from pathlib import Path

import pytest

from core.specs import ModelSpec
from core.store.allowed import FOLDERS
from core.store.read_only import READ_ONLY
from core.studies import shipped
from tests.app.conftest import PAGES, ROOT, Content, open_page, texts_of
from tests.finished import STUDY, finished_study

LINE = "This server is read-only: "
"""How each line begins that says what is off."""


@pytest.fixture
def shown(filled: Content, monkeypatch) -> Content:
    """Serve the filled store read-only; its model and its texts are in folders."""
    monkeypatch.setenv(READ_ONLY, "1")
    monkeypatch.setenv(FOLDERS, str(Path(filled.model.name).parent))
    return filled


def files_of(root: Path) -> dict[str, bytes]:
    """Return all files of a cache folder, but for locks, which hold nothing."""
    found = [path for path in root.rglob("*") if path.is_file() and path.parent.name != "locks"]
    return {str(path.relative_to(root)): path.read_bytes() for path in found}


@pytest.mark.parametrize("name", PAGES)
def test_every_page_opens_on_an_empty_store(name, store, monkeypatch):
    monkeypatch.setenv(READ_ONLY, "1")
    app = open_page(name)
    assert not app.error
    assert not files_of(store.root)


@pytest.mark.parametrize("name", PAGES)
def test_no_button_of_a_page_changes_anything(name, shown: Content):
    address = {"model": shown.model.name, "runs": json.dumps([shown.run])}
    before = files_of(shown.root)
    pressable = [i for i, button in enumerate(open_page(name, **address).button) if not button.proto.disabled]
    for i in pressable:
        app = open_page(name, **address)
        app.button[i].click().run()
        assert not app.exception, app.button[i].label
    assert files_of(shown.root) == before


@pytest.mark.parametrize(
    ("name", "address", "off", "missing"),
    [
        ("overview", {}, "it starts no jobs", "Run the demo"),
        ("activations", {}, "it starts no jobs", "activations.capture"),
        ("activations", {"data": '["file"]'}, "it takes no files and no paths", "Or a path on this machine"),
        ("activations", {"data": '["squad"]'}, "it takes no files and no paths", "Local file of"),
        ("activations", {"method": "tsne"}, "it starts no jobs", "Draw this map"),
        ("trajectories", {}, "it starts no jobs", "Measure trajectories"),
        ("priors", {}, "maps cannot be named here", "Save name"),
        ("tune", {}, "it starts no jobs", "Start tuning"),
        ("tune", {"mode": "sweep"}, "it takes no files and no paths", "YAML or JSON"),
        ("compare", {}, "it starts no jobs", "Measure what each vector is worth"),
        ("findings", {"claim": "2"}, "it starts no jobs", "Reproduce this claim"),
        ("findings", {"show": "everything"}, "it starts no jobs", "Reproduce everything"),
        ("system", {}, "jobs are not cancelled, resumed or deleted here", "Delete"),
        ("system", {}, "nothing is deleted here", "Delete these"),
    ],
)
def test_a_page_says_in_a_line_what_is_off_and_does_not_draw_it(shown: Content, name, address, off, missing):
    app = open_page(name, model=shown.model.name, **address)
    assert f"{LINE}{off}." in texts_of(app)
    labels = [widget.label for widget in [*app.button, *app.text_input, *app.get("file_uploader")]]
    assert not [label for label in labels if label.startswith(missing)]


def test_a_page_starts_nothing_by_itself_either(shown: Content):
    run = {"model": shown.model.name, "runs": json.dumps([shown.run])}
    assert f"{LINE}it starts no jobs." in texts_of(open_page("compare", **run)), "it measures runs"
    demo = open_page("overview", model=shown.model.name, demo="true")
    assert f"{LINE}it starts no jobs." in texts_of(demo)
    assert not demo.get("progress")


def test_a_model_that_is_not_on_the_list_cannot_be_asked_for(shown: Content):
    app = open_page("overview", model="/etc")
    assert app.selectbox(key="model.model").value == "smollm2-135m"
    assert "The address asks for model '/etc', which cannot be chosen here" in texts_of(app).replace("\\", "")


def documented() -> list[str]:
    """Return the packages that docs/hosting.md installs for a demo, which it lists twice."""
    told = re.findall(r"pip install .*-c constraints.txt (.+)", (ROOT / "docs" / "hosting.md").read_text())
    assert len(told) == 2
    assert told[0] == told[1]
    return told[0].split()


def test_a_read_only_server_needs_the_documented_packages_alone_and_makes_no_engine(filled: Content):
    needed = {re.split(r"[<>=]", one)[0] for one in requires("priorscope") or [] if "extra ==" not in one}
    others = sorted(needed - set(documented()))
    assert {"torch", "transformers", "distributed"} <= set(others)
    script = (
        "import sys\n"
        "class Missing:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name.split('.')[0] in {others!r}:\n"
        "            raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Missing())\n"
        "from tests.app.conftest import open_page\n"
        f"for name in {PAGES!r}:\n    open_page(name, model={filled.model.name!r}, runs='[\"{filled.run}\"]')\n"
        f"print([name for name in sys.modules if name.split('.')[0] in {others!r}])"
    )
    environment = {
        **os.environ,
        "PRIORSCOPE_CACHE": str(filled.root),
        READ_ONLY: "1",
        FOLDERS: str(Path(filled.model.name).parent),
    }
    told = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == "[]"
    assert not list((filled.root / "engine").iterdir())


def test_a_finished_study_of_a_model_that_is_not_here_is_read_in_full(store, monkeypatch, tmp_path):
    finished = finished_study(tmp_path, study=STUDY.model_copy(update={"model": ModelSpec(name="nobody/elsewhere")}))
    monkeypatch.setattr(shipped, "FINISHED", finished.folder.parent)
    monkeypatch.setenv(READ_ONLY, "1")
    app = open_page("findings", claim="10")
    app.selectbox(key="model.model").select("nobody/elsewhere").run()
    assert "This study came with the program." in texts_of(app)
    assert "not on this machine, but a study of it came with the program" in texts_of(app)
    assert not app.error
    assert "Claimed: **" in texts_of(app), "the verdict is shown, and not offered"
    assert len(open_page("overview").get("plotly_chart")) == 3
