"""Bad input through the pages: one line that says what the command line says, and a page that goes on working."""

import errno
import json
import os
import re
import shutil
from urllib.parse import parse_qsl

import numpy as np
import pytest
from safetensors.numpy import load_file
from streamlit.testing.v1 import AppTest

from core.store import Store, list_jobs
from tests.app.conftest import Content, charts_of, open_page, texts_of

FILES = {
    "table.csv": b"title,body\none,two\nthree,four\n",
    "latin.txt": "Où est le café ?\n\nIci.".encode("latin-1"),
    "blank.txt": b" \n\n \n",
    "sums.jsonl": b"\n".join(
        json.dumps({"q": f"What is {a} + {b}?", "a": str(a + b)}).encode() for a in range(5) for b in range(5)
    ),
}


@pytest.fixture
def files(tmp_path) -> dict[str, str]:
    """Return paths of files, by name, most of them bad."""
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content)
    return {name: str(tmp_path / name) for name in FILES}


@pytest.fixture
def inline(filled: Content, at_once) -> Content:
    """Do a page's jobs at once."""
    return filled


def unescaped(text: object) -> str:
    """Return Markdown's text as it is read."""
    return re.sub(r"\\([^\w\s])", r"\1", str(text))


def the_error(app: AppTest) -> str:
    """Return what the page's one error says; nothing was raised past it."""
    assert not app.exception
    (error,) = app.error
    assert "\n" not in error.value
    return unescaped(error.value)


def own_file(page: str, content: Content, path: str, **params: str) -> AppTest:
    """Open a page with a file of one's own as its texts."""
    data = '["file"]' if page == "activations" else "file"
    return open_page(page, **{"model": content.model.name, "data": data, "path": path, **params})


def press(app: AppTest, label: str) -> AppTest:
    """Press the button of that label."""
    return next(button for button in app.button if button.label == label).click().run()


@pytest.mark.parametrize("name", ["activations", "priors", "overview", "tune"])
def test_an_unknown_model_is_told_with_those_there_are(name, store, no_engine):
    app = open_page(name, model="smolm2-135m")
    told = unescaped(texts_of(app))
    assert "Unknown model 'smolm2-135m'; known: all-minilm-l6-v2, smollm2-135m, t5-base" in told
    assert "Did you mean 'smollm2-135m'?" in told
    assert "Or give a hub id as owner/name, or a folder with config.json." in told
    app.selectbox(key="model.model").set_value("smollm2-135m").run()
    assert not app.error
    assert not app.exception
    assert "Unknown model" not in unescaped(texts_of(app))


@pytest.mark.parametrize("name", ["priors", "tune"])
@pytest.mark.parametrize(
    ("prior", "told"),
    [
        ('{"kind":"gausian"}', "Unknown prior kind 'gausian'; known: exclusion, "),
        ('{"kind":"exclusion","c":1}', "c: Input should be greater than 1 (got 1)"),
        ('{"kind":"isotropic","std":-2}', "std: Input should be greater than 0 (got -2)"),
        ('{"kind":"isotropic","spread":2}', "spread: there is no such field; remove it or check its spelling"),
        ("{kind}", "prior '{kind}' is not JSON"),
    ],
)
def test_a_prior_in_the_address_that_cannot_be_is_told_and_the_form_stays(name, prior, told, filled, no_engine):
    app = open_page(name, model=filled.model.name, prior=prior)
    (warning,) = app.warning
    assert told in unescaped(warning.value)
    assert "\n" not in warning.value
    assert not app.error
    kind = next(box for box in app.selectbox if box.label == "Prior")
    kind.set_value("xavier").run()
    assert not app.warning
    assert json.loads(str(app.query_params["prior"]))["kind"] == "xavier"


@pytest.mark.parametrize(
    ("name", "params", "key", "value"),
    [
        ("tune", {"data": "newz"}, "tune.data", "math"),
        ("tune", {"module": "arithmetic__sub"}, "tune.module", "arithmetic__add_or_sub"),
        ("tune", {"difficulty": "hard"}, "tune.difficulty", "train-easy"),
        ("activations", {"site": "99"}, "activations.site", 0),
        ("activations", {"site": "last"}, "activations.site", 0),
        ("activations", {"data": '["newz"]'}, "activations.data", []),
        ("activations", {"data": '["math"]', "modules": '["nope"]'}, "activations.modules", []),
        ("tune", {"steps": "0"}, "tune.steps", 200),
        ("tune", {"n_prompt": "501"}, "tune.n_prompt", 20),
        ("tune", {"learning_rate": "NaN"}, "tune.learning_rate", 1e-3),
    ],
)
def test_what_an_address_names_that_there_is_not_never_reaches_a_job(name, params, key, value, filled, no_engine):
    app = open_page(name, model=filled.model.name, **params)
    (shown,) = [widget.value for widget in (*app.selectbox, *app.multiselect, *app.number_input) if widget.key == key]
    assert shown == value
    assert not app.error
    assert no_engine == []


def test_an_unknown_run_in_the_address_is_told_with_those_there_are(filled, no_engine):
    app = open_page("tune", model=filled.model.name, run="t-nothing")
    assert "Unknown run or job 't-nothing'; known: " in unescaped(app.warning[0].value)
    assert filled.run in unescaped(app.warning[0].value)


def test_an_empty_upload_is_told_and_the_next_one_is_taken(filled, no_engine):
    app = open_page("activations", model=filled.model.name, data='["file"]')
    app.file_uploader[0].upload("empty.txt", b"").run()
    assert "empty.txt' is empty (0 bytes); give a file with at least 2 documents or questions." in the_error(app)
    app.file_uploader[0].set_value(("good.txt", b"One hen.\n\nTwo hens.", "text/plain")).run()
    app.multiselect(key="activations.files").set_value(
        [path for path in app.multiselect(key="activations.files").value if path.endswith("good.txt")]
    ).run()
    assert not app.error
    assert "not been captured yet" in texts_of(app)


def test_a_path_that_is_not_there_is_told(filled, no_engine):
    app = own_file("activations", filled, "/no/such.txt")
    assert "'/no/such.txt' cannot be read (No such file or directory); check the path" in the_error(app)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("table.csv", "'table.csv' has no column 'text'; it has: title, body. Name its text column"),
        ("latin.txt", "'latin.txt' is not UTF-8: byte 1 is 0xf9 (invalid start byte); save it as UTF-8 text."),
        ("blank.txt", "'blank.txt' has 0 usable records of the 2 that are needed at least"),
    ],
)
def test_a_failed_capture_shows_its_reason_and_log_and_leaves_the_page_usable(name, told, inline, files):
    app = own_file("activations", inline, files[name])
    press(app, "Capture")
    assert "This job failed. " in the_error(app)
    assert told in the_error(app)
    log, *_ = app.code
    assert "core.errors.BadData" in log.value
    assert "Resume" in [button.label for button in app.button]
    app.text_input(key="activations.path").set_value(str(inline.dataset.path)).run()
    press(app, "Capture")
    assert not app.error
    assert not app.exception


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({"max_length": "8"}, "No training example is left of those that have at most 8 tokens"),
        ({"prompt_column": "qq"}, "'sums.jsonl' has no column 'qq'; it has: q, a."),
    ],
)
def test_a_failed_run_says_why(params, told, inline, files):
    asked = {"prompt_column": "q", "answer_column": "a", "prior": "isotropic", **params}
    app = press(own_file("tune", inline, files["sums.jsonl"], **asked), "Start tuning")
    assert told in the_error(app)
    assert "core.errors.BadData" in app.code[0].value


def test_a_run_whose_loss_is_not_finite_says_at_which_step(inline, files):
    shutil.rmtree(inline.root / "artifacts" / "vocabulary")  # no map: this prompt ends out of any picture's range
    app = own_file(
        "tune",
        inline,
        files["sums.jsonl"],
        **dict(parse_qsl("prompt_column=q&answer_column=a&prior=isotropic&n_prompt=3&batch_size=4&n_generation=0")),
        **dict(parse_qsl("steps=60&learning_rate=10&weight_decay=10&warmup_steps=0")),
    )
    press(app, "Start tuning")
    told = re.search(r"step (\d+) of 60\b.*the last good prompt is kept", the_error(app))
    assert told
    assert 15 < int(told[1]) < 30
    job = next(job for job in list_jobs(Store(inline.root), "tune") if job.status().state == "failed")
    assert np.isfinite(load_file(job.path / "posterior.safetensors")["prompt"]).all()
    assert len(charts_of(app)) == 1  # the losses so far


def test_a_full_disk_is_told_when_a_job_is_asked_for(inline, files):
    app = own_file("activations", inline, files["sums.jsonl"])

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", full)
        press(app, "Capture")
    assert "is full (No space left on device); nothing half-written was kept. Free some space" in the_error(app)
    assert not list_jobs(Store(inline.root), "capture")


def test_a_damaged_cloud_is_set_aside_and_offered_anew(inline):
    (spoilt,) = inline.root.glob("artifacts/cloud/*/site-0.npy")
    spoilt.write_bytes(spoilt.read_bytes()[:-9] + bytes(9))
    app = own_file("activations", inline, str(inline.dataset.path), samples="30", rows="500")
    assert "not been captured yet" in texts_of(app)
    assert not app.error
    assert len(list((inline.root / "damaged").iterdir())) == 1
    app.toggle(key="activations.every").set_value(False).run()
    press(app, "Capture")
    assert not app.error
    assert app.metric[0].value == "500"


@pytest.mark.parametrize(
    ("name", "asked", "words"),
    [
        ("activations", {"site": "999"}, "site '999', which cannot be chosen here; 0 is used instead."),
        ("activations", {"data": '["nws"]'}, "data 'nws', which cannot be chosen here;"),
        ("priors", {"n": "0"}, "n '0', which cannot be chosen here; 200 is used instead."),
        ("tune", {"module": "sums"}, "module 'sums', which cannot be chosen here;"),
    ],
)
def test_an_address_that_asks_for_what_there_is_not_is_told_so(name, asked, words, filled, no_engine):
    app = open_page(name, model=filled.model.name, **asked)
    said = [unescaped(warning.value) for warning in app.warning]
    assert any(f"The address asks for {words}" in text for text in said), said
