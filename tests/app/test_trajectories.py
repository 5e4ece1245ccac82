"""The Trajectories page."""

import json

import pytest

from core.store import Store, list_jobs
from tests.app.conftest import Content, charts_of, open_page, table_of, texts_of

SENTENCES = "A cat <b>sat</b>.\nA dog ran home."


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait for a job that nobody does."""
    monkeypatch.setattr("pages.trajectories_parts.following.PATIENCE_SECONDS", 0)


def trajectories(filled: Content, **params: str):
    data = {"data": '["file"]', "path": str(filled.dataset.path), "samples": "30", "rows": "500", "text": SENTENCES}
    return open_page("trajectories", model=filled.model.name, **{**data, **params})


def traces_of(app) -> dict[str, dict]:
    """Return the traces that have an entry in the legend, by name."""
    return {trace["name"]: trace for trace in charts_of(app)[0]["data"] if trace.get("showlegend") is not False}


def test_sentences_are_followed_on_the_vocabulary(filled, at_once):
    app = trajectories(filled)
    assert [kind for kind, _ in at_once] == ["trajectory"]
    traces = traces_of(app)
    assert list(traces) == ["vocabulary (99)", "A cat &lt;b&gt;sat&lt;/b&gt;.", "A dog ran home."]
    first = traces["A dog ran home."]
    assert len(first["hovertext"]) == len("A dog ran home.")
    assert "A␣<b>d</b>og" in first["hovertext"][2].replace(" ", "␣")
    figure = charts_of(app)[0]
    assert len(figure["frames"]) == len("A cat <b>sat</b>.")
    assert [step["label"] for step in figure["layout"]["sliders"][0]["steps"]][:3] == ["A", "␣", "token 3"]
    assert "an open circle marks the first" in texts_of(app)


def test_a_text_of_special_tokens_alone_is_said(filled, at_once):
    app = trajectories(filled, text="ÄÖÜ")
    assert [kind for kind, _ in at_once] == ["trajectory"]
    assert "keep special tokens under Tokens and points" in texts_of(app)
    assert not app.error


def test_tokens_on_the_vocabulary_are_where_their_rows_are(filled, at_once):
    import numpy as np

    from core.activations.clouds import find_vocabulary
    from core.jobs.projection import find_map

    trace = traces_of(trajectories(filled))["A dog ran home."]
    store = Store(filled.root)
    stored, cloud = find_map(filled.vocabulary_map, store), find_vocabulary(filled.model, store)
    assert stored is not None
    assert cloud is not None
    rows = {token: row for row, token in enumerate(cloud.rows["token"])}
    where = dict(zip(stored.reference["row"], range(len(stored.reference)), strict=True))
    spots = stored.map.coordinates[[where[rows[letter]] for letter in "A dog ran home."], :2]
    shown = np.stack([_numbers(trace["x"]), _numbers(trace["y"])], axis=1)
    assert np.array_equal(shown, spots)


def _numbers(axis):
    import base64

    import numpy as np

    return np.frombuffer(base64.b64decode(axis["bdata"]), axis["dtype"]) if isinstance(axis, dict) else np.array(axis)


def test_numbers_stand_against_all_three_nulls_with_definitions(filled, at_once):
    app = trajectories(filled)
    table = table_of(app, "trajectory", "statistic")
    assert list(table.columns) == [
        "trajectory",
        "tokens",
        "statistic",
        "value",
        "order shuffled",
        "unigram draw",
        "uniform draw",
    ]
    assert len(table) == 2 * 3
    cells = table.set_index(["trajectory", "statistic"]).loc[("A dog ran home.", "step length")]
    assert all(", p " in cells[null] and "[" in cells[null] for null in table.columns[4:])
    assert table[table["statistic"] == "radius of gyration"]["order shuffled"].tolist() == ["", ""]


def test_a_question_is_answered_when_asked_with_and_without_a_prompt(filled, at_once):
    view = {"mode": "generate", "run": filled.run, "question": "One day", "max_new_tokens": "3"}
    app = trajectories(filled, **view)
    assert [kind for kind, _ in at_once] == []
    assert "with and without the prompt" in texts_of(app)
    next(button for button in app.button if button.label == "Answer").click().run()
    assert [spec.run for kind, spec in at_once if kind == "trajectory"] == [None, filled.run]
    names = list(traces_of(app))
    assert {f"prompt of {filled.run}", "answer without a prompt", f"answer after the prompt of {filled.run}"} <= set(
        names
    )
    answers = table_of(app, "prompt")
    assert answers["prompt"].tolist() == ["none", f"of {filled.run}"]
    assert app.query_params["run"] == filled.run
    again = trajectories(filled, **view)
    assert list(traces_of(again)) == names
    assert len(at_once) == 2
    assert "Answer" not in [button.label for button in again.button]


def test_the_answer_to_another_question_stands_in_until_the_button_is_pressed(filled, at_once):
    asked = {"mode": "generate", "max_new_tokens": "3"}
    assert not charts_of(trajectories(filled, question="One day", **asked)), "nothing is stored yet"
    first = trajectories(filled, question="One day", **asked)
    next(button for button in first.button if button.label == "Answer").click().run()
    other = trajectories(filled, question="Two days", **asked)
    assert "The nearest view is shown: **texts One day instead of Two days**" in texts_of(other)
    assert "answer" in traces_of(other)
    next(button for button in other.button if button.label == "Answer").click().run()
    assert "The nearest view" not in texts_of(other)
    assert [spec.texts for _, spec in at_once] == [("One day",), ("Two days",)]


def test_hover_of_an_answer_tells_its_probability_and_the_next_best(filled, at_once):
    app = trajectories(filled, mode="generate", question="One day", max_new_tokens="3")
    next(button for button in app.button if button.label == "Answer").click().run()
    texts = traces_of(app)["answer"]["hovertext"]
    assert all("probability 0." in text and "next likeliest: " in text for text in texts)


def test_paths_are_laid_on_a_site_of_the_data(filled, at_once):
    app = trajectories(filled, site="2", words="false", play="false")
    figure = charts_of(app)[0]
    assert "stories.txt (500)" in traces_of(app)
    assert "frames" not in figure or not figure["frames"]
    assert len(traces_of(app)["A dog ran home."]["hovertext"]) == len("A dog ran home.") - 1
    assert "First tokens are left out" in texts_of(app)
    assert app.query_params["site"] == "2"
    assert [note["text"] for note in figure["layout"]["annotations"]], "regions are named"
    bare = charts_of(trajectories(filled, site="2", words="false", play="false", regions="false"))[0]
    assert not bare["layout"].get("annotations")
    worded = charts_of(trajectories(filled, site="2", play="false"))[0]
    assert not worded["layout"].get("annotations"), "the words of the texts are there already"


def test_three_dimensions_and_texts_of_the_data(filled, at_once):
    app = trajectories(filled, dimensions="3", source="drawn", n_texts="2", text_seed="1")
    kinds = {trace["type"] for trace in charts_of(app)[0]["data"]}
    assert kinds == {"scatter3d", "cone"}
    (spec,) = [spec for kind, spec in at_once if kind == "trajectory"]
    assert (spec.n_texts, spec.seed, spec.dataset) == (2, 1, filled.dataset)


def test_documents_are_measured_on_demand_and_drawn_over_sites(filled, at_once):
    view = {"path_sites": "0,2", "n_documents": "10", "path_length": "32"}
    app = trajectories(filled, **view)
    assert "Not measured yet" in texts_of(app)
    next(button for button in app.button if button.label == "Measure trajectories").click().run()
    spec = at_once[-1][1]
    assert (spec.sites, spec.n_documents, spec.max_length) == ((0, 2), 10, 32)
    figure = charts_of(app)[1]
    assert [note["text"] for note in figure["layout"]["annotations"]][:1] == ["step length, ratio"]
    assert "random walks over the vocabulary: ratio" in texts_of(app)
    assert table_of(app, "statistic", "mean")["statistic"].tolist() == [
        "step length",
        "radius of gyration",
        "displacement exponent",
    ]


def test_a_job_that_waits_or_failed_is_shown(filled, no_engine, impatient):
    app = trajectories(filled)
    assert "Queued" in json.dumps([str(bar.proto) for bar in app.get("progress")])
    job = next(job for job in list_jobs(Store(filled.root), "trajectory"))
    job.update(state="failed", error="Out of luck.")
    assert "Out of luck" in texts_of(trajectories(filled))
    assert len(no_engine) == 1


def test_no_text_and_no_data_set_are_said(filled, no_engine):
    assert "No text yet" in texts_of(open_page("trajectories", model=filled.model.name, text=" "))
    app = trajectories(filled, site="2", data="[]")
    assert "No data set chosen" in texts_of(app)
