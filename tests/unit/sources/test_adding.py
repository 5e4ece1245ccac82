"""The worked example of docs/adding-a-data-set.md: one file and one line, and every place has it."""

import types

import pytest

from core.commands.datasets import dataset_specs
from core.errors import BadRequest
from core.sources.datasets import dataset_titles, load_dataset
from core.sources.report import sources_report
from core.specs import DATASETS, DatasetSpec
from core.specs.describe import describe
from core.specs.docs import spec_page
from tests.documented import listed


@pytest.fixture
def toy(monkeypatch) -> types.ModuleType:
    """Return the page's file, listed by the line that the page gives."""
    return listed("adding-a-data-set.md", DATASETS, "proverbs", "core.sources.proverbs", monkeypatch)


def test_it_is_unknown_without_the_line():
    with pytest.raises(BadRequest, match=r"name: there is no such data set; choose one of: squad.*\(got 'proverbs'\)"):
        DatasetSpec.parse({"name": "proverbs"})


def test_form_command_line_doctor_and_documentation_find_it(toy, store):
    choices = {field.name: field.choices for field in describe(DatasetSpec)}
    assert choices["name"][-1] == "proverbs"
    assert dataset_titles()["proverbs"] == "English proverbs"
    assert [spec.name for spec in dataset_specs("news,proverbs", "--datasets", "2", "0")] == ["news", "proverbs"]
    rows = {row["name"]: row for row in sources_report(store, ask_hub=False)}
    assert rows["proverbs"]["note"] == "typed into the program"
    assert "file or proverbs" in spec_page([DatasetSpec], {})


def test_its_texts_are_drawn_and_kept(toy, store):
    data = load_dataset(DatasetSpec(name="proverbs", samples=2), store)
    assert len(data.records) == 2
    assert {record.text for record in data.records} <= set(toy.TEXTS)
    assert data.provenance["title"] == "English proverbs"
