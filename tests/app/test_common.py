from pathlib import Path

import pytest

from core.specs import TuningSpec, parse_prior
from core.specs.model import short_name
from core.store import create_job
from core.store.losses import read_losses
from core.store.status import Status
from pages.widgets import jobs, layout, provenance, state
from pages.widgets.choices import keep_upload


@pytest.mark.parametrize(
    ("raw", "like", "value"),
    [
        ("7", 0, 7),
        ("7", 0.5, 7.0),
        ("final", 0, "final"),
        ("final", True, None),
        ("final", 0.5, None),
        ('"final"', 0, "final"),
        ("true", False, True),
        ("1", False, None),
        ("x", 0.5, None),
        ('["a"]', [], ["a"]),
        ("7", "text", "7"),
        (None, 3, None),
    ],
)
def test_values_from_an_address_have_the_defaults_type_or_do_not_count(raw, like, value):
    assert state.decode(raw, like) == value


def test_values_go_to_an_address_and_back():
    for value in (3, 2.5, True, "a b", ["a", "b,c"]):
        assert state.decode(state.encode(value, value), value) == value
    for value, default in (("final", 0), ("7", 0), ("true", None), ("a", None), ("7", "text"), (3.5, None)):
        assert state.decode(state.encode(value, default), default) == value
    assert state.encode("final", 0) == "final"


def test_markdown_in_names_is_shown_not_obeyed():
    assert layout.plain("**a** $x$ [b](c) <i>") == r"\*\*a\*\* \$x\$ \[b\]\(c\) \<i\>"


def test_the_origin_of_texts_is_told_whole():
    told = provenance.origin(
        {
            "title": "news articles (stand-in for C4)",
            "source": "package",
            "package": "texts",
            "version": "1.2",
            "licence": "MIT",
            "n_available": 2000,
            "n_records": 200,
            "n_groups": 150,
            "wheel_sha256": "ab" * 32,
            "content_sha256": "cd" * 32,
            "dropped": {"empty": 3, "repeated": 1},
            "notes": ["One note."],
        }
    )
    assert told == [
        "Source: package: package texts, version 1.2",
        "Licence: MIT",
        "Used: 200 of 2,000 texts, in 150 groups",
        "Left out: 3 empty, 1 repeated",
        "SHA-256: texts drawn cdcdcdcdcdcdcdcd…, package abababababababab…",
        "Note: One note.",
    ]
    assert provenance.origin({}) == ["Source: not recorded", "Licence: not recorded", "Left out: none"]


def test_durations_and_sizes_in_words():
    assert [layout.duration(seconds) for seconds in (0.2, 45, 600, 9000)] == ["1 s", "45 s", "10 min", "2.5 h"]
    assert [layout.size(n) for n in (1_500_000, 2e9)] == ["1.5 MB", "2.0 GB"]


def test_an_upload_is_kept_by_its_content_and_cannot_leave_its_folder(tmp_path):
    first = keep_upload(tmp_path, "../../evil.txt", b"hello")
    assert first == keep_upload(tmp_path, "evil.txt", b"hello")
    assert first != keep_upload(tmp_path, "evil.txt", b"other")
    assert first.startswith(str(tmp_path))
    assert len(list(tmp_path.glob("*/evil.txt"))) == 2


@pytest.mark.parametrize("name", ["é" * 300 + ".jsonl", "x" * 255, "a" * 251 + ".txt", "\x00\x1b.txt", "..", "", "/"])
def test_an_upload_of_any_name_is_kept(tmp_path, name):
    kept = Path(keep_upload(tmp_path, name, b"hello"))
    assert kept.read_bytes() == b"hello"
    assert kept.parent.parent == tmp_path


def test_models_in_folders_go_by_their_last_name():
    assert short_name("/a/b/stories") == "stories"
    assert short_name("owner/model") == "owner/model"


def test_progress_in_words():
    running = Status(state="running", done=30, total=60, message="Step 30", started=100.0)
    assert jobs.describe(running, 130.0) == "Step 30 · 30 of 60 · about 30 s left"
    assert jobs.describe(running, 130.0, at_most=True) == "Step 30 · 30 of 60 · at most 30 s left"
    assert jobs.describe(Status(), 0.0) == "Queued, waiting for the engine"


@pytest.fixture
def job(store):
    spec = TuningSpec(prior=parse_prior("isotropic"), steps=20)
    return create_job(store, "tune", spec.as_json(), "t-1")


def test_losses_of_a_resumed_run_count_once(job):
    job.append(event="baseline", no_prompt={"loss": 3.0}, prior_sample={"loss": 2.5})
    for step, loss in ((1, 2.0), (2, 1.9), (2, 1.8)):
        job.append(event="step", step=step, loss=loss, seconds=0.1)
    job.append(event="evaluation", step=2, validation={"loss": 1.7})
    found = read_losses(job)
    assert found.losses.tolist() == [2.0, 1.8]
    assert found.evaluation_losses.tolist() == [1.7]
    assert found.baselines == {"no prompt": 3.0, "prior sample": 2.5}
