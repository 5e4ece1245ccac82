"""The Story page on a finished study and an empty store."""

from urllib.parse import parse_qs

import pytest
from streamlit.testing.v1 import AppTest

from core.specs import ModelSpec, StudyItemSpec
from core.store import Store
from core.store.read_only import READ_ONLY
from core.studies import shipped
from core.studies.claims import CLAIMS
from core.studies.items import ITEMS, KIND
from pages.story_parts.screens import SCREENS
from tests.app.conftest import charts_of, open_page, texts_of
from tests.finished import STEPS, STUDY, TASKS, finished_study, picture, put

N_SCREENS = 7


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """Return the folder of finished studies of a program that has one."""
    return finished_study(tmp_path_factory.mktemp("told")).folder.parent


@pytest.fixture
def told(program, store, no_engine, monkeypatch) -> Store:
    """Let the finished study come with the program; the store is empty."""
    monkeypatch.setattr(shipped, "FINISHED", program)
    return store


def at(number: int, **parameters: str) -> AppTest:
    return open_page("story", screen=str(number), **parameters)


def button(app: AppTest, label: str):
    return next(one for one in app.button if one.label == label)


@pytest.mark.parametrize("number", range(1, N_SCREENS + 1))
def test_each_screen_has_an_address_a_sentence_and_one_picture(told, number):
    app = at(number)
    assert [one.value for one in app.subheader] == [SCREENS[number - 1].sentence]
    assert len(charts_of(app)) == 1
    assert not app.error
    assert not app.warning
    assert not list((told.root / "jobs").glob("*")), "nothing was started"


def test_next_and_back_turn_the_pages_also_by_arrow_keys(told):
    app = open_page("story")
    assert button(app, "Back").disabled
    assert (button(app, "Next").proto.shortcut, button(app, "Back").proto.shortcut) == ("right", "left")
    button(app, "Next").click().run()
    assert app.query_params["screen"] in ("2", ["2"])
    assert [one.value for one in app.subheader] == [SCREENS[1].sentence]
    button(app, "Back").click().run()
    assert [one.value for one in app.subheader] == [SCREENS[0].sentence]
    assert button(at(N_SCREENS), "Next").disabled


def test_the_texts_of_the_first_screen_are_a_choice(told):
    app = at(1)
    assert "“One cat.” Caption of figure-1." in texts_of(app).replace("\\", "")
    assert [trace.get("visible", True) for trace in charts_of(app)[0]["data"]] == [True, True, "legendonly"]
    app.button_group(key="story.sentence").set_value(0).run()
    assert [trace.get("visible", True) for trace in charts_of(app)[0]["data"]] == [True, True, True]
    app.button_group(key="story.texts").set_value("figure-3").run()
    assert "Caption of figure-3." in texts_of(app)


def test_layers_are_scrubbed_and_stand_beside_each_other_where_there_is_no_film(told, tmp_path, monkeypatch):
    assert "Caption of film." in texts_of(at(2))
    monkeypatch.setattr(shipped, "FINISHED", tmp_path)
    bare = finished_study(tmp_path, "film")
    monkeypatch.setattr(shipped, "FINISHED", bare.folder.parent)
    assert f"This study does not have “{ITEMS['film'].title}” yet" in texts_of(at(2)).replace("\\", "")
    put(told, "figure-4", picture("Side by side."))
    assert "Side by side." in texts_of(at(2))


def test_what_a_finished_study_lacks_comes_from_another_which_is_named(store, no_engine, monkeypatch, tmp_path):
    other = STUDY.model_copy(update={"model": ModelSpec(name="nobody/elsewhere")})
    own = finished_study(tmp_path / "own", "film", "several-priors", "claim-10")
    second = finished_study(tmp_path / "other", study=other)
    second.folder.rename(own.folder.parent / "second")
    monkeypatch.setattr(shipped, "FINISHED", own.folder.parent)
    shown = texts_of(at(5)).replace("\\", "")
    assert (
        "From the study of nobody/elsewhere; that of smollm2-135m lacks it. Not in the finished study: it needs"
        in shown
    )
    assert "Four priors on one map." in shown
    assert "C5 · Priors decide where posteriors lie: not judged on this study yet" in shown
    assert len(charts_of(at(1))) == 1
    assert "From the study of" not in texts_of(at(1)), "its own study has these texts"
    (chart,) = charts_of(at(7, claim="10"))
    assert chart["layout"]["xaxis"]["ticktext"] == ["nobody/elsewhere · Quick", "smollm2-135m · Quick"]


def test_c_moves_the_shell_of_exclusion_and_of_nothing_else(told):
    app = at(3)
    few, many = "In 2 dimensions exclusion cuts a hole", "In 576 dimensions the fitted Gaussian is itself a thin shell"
    assert few in texts_of(app)
    assert many in texts_of(app)
    before = charts_of(app)
    app.select_slider(key="story.c").set_value(20.0).run()
    assert charts_of(app) != before
    assert app.query_params["c"] in ("20.0", ["20.0"])
    app.button_group(key="story.kind").set_value("isotropic").run()
    assert not app.select_slider
    assert "shell of radius √576 ≈ 24" in texts_of(app)


def test_a_run_is_played_with_its_loss(told):
    app = at(4)
    (chart,) = charts_of(app)
    assert [step["label"] for step in chart["layout"]["sliders"][0]["steps"]] == [f"step {step}" for step in STEPS]
    assert chart["layout"]["sliders"][0]["active"] == 0
    assert "Isotropic Gaussian: prior sample" in [trace["name"] for trace in chart["data"]]
    app.button_group(key="story.prior").set_value("Xavier").run()
    assert "Xavier: prior sample" in [trace["name"] for trace in charts_of(app)[0]["data"]]


def test_all_priors_end_on_one_map(told):
    (chart,) = charts_of(at(5))
    assert {"Isotropic Gaussian", "Fitted Gaussian", "Gaussian exclusion", "Xavier"} <= {
        trace["name"] for trace in chart["data"]
    }
    assert chart["layout"]["sliders"][0]["active"] == len(STEPS) - 1
    assert "C5 · Priors decide where posteriors lie: not judged on this study yet" in texts_of(at(5))


def test_losses_of_a_task_have_intervals(told):
    app = at(6)
    drawn = next(trace for trace in charts_of(app)[0]["data"] if trace.get("error_x"))
    assert drawn["x"] == pytest.approx([1.5, 1.53])
    app.selectbox(key="story.task").select(TASKS[1]).run()
    drawn = next(trace for trace in charts_of(app)[0]["data"] if trace.get("error_x"))
    assert drawn["x"] == pytest.approx([2.5, 2.53])


def test_the_matrix_tells_of_the_claim_that_is_chosen(told):
    app = at(7, claim="10")
    assert CLAIMS[10].title in texts_of(app).replace("\\", "")
    (chart,) = charts_of(app)
    assert chart["layout"]["xaxis"]["ticktext"] == ["smollm2-135m · Quick"]
    link = next(one.proto for one in app.get("page_link") if "Findings" in one.proto.label)
    assert parse_qs(link.query_string) == {"claim": ["10"], "model": ["smollm2-135m"], "study": ["quick"]}


def test_without_any_study_each_screen_says_what_is_missing_and_offers_it(store, no_engine, monkeypatch, tmp_path):
    monkeypatch.setattr(shipped, "FINISHED", tmp_path)
    app = at(5)
    title = ITEMS["several-priors"].title
    assert f"This study does not have “{title}” yet" in texts_of(app).replace("\\", "")
    button(app, "Make it").click().run()
    assert no_engine == [(KIND, StudyItemSpec(study=STUDY, item="several-priors"))]
    assert len(charts_of(at(3))) == 1, "this screen needs no study"


def test_a_public_demo_says_what_is_missing_and_offers_nothing(store, monkeypatch, tmp_path):
    monkeypatch.setattr(shipped, "FINISHED", tmp_path)
    monkeypatch.setenv(READ_ONLY, "1")
    app = at(5)
    assert "it starts no jobs" in texts_of(app)
    assert "Make it" not in [one.label for one in app.button]


def test_ones_own_study_can_be_chosen_instead(told):
    put(told, "figure-1", picture("My own figure."))
    other = STUDY.model_copy(update={"n_texts": 99})
    put(told, "figure-1", picture("Another study."), other)
    app = at(1)
    assert "My own figure." in texts_of(app), "what was made here comes first"
    choice = app.selectbox(key="story.study")
    assert [name.split(" · ")[-1] for name in choice.options] == [
        "came with the program",
        f"{STUDY.n_seeds} seeds, made here",
    ]
    choice.select_index(1).run()
    assert "Another study." in texts_of(app)


def test_full_screen_is_in_the_address_and_hides_what_is_not_the_screen(told):
    app = at(1)
    button(app, "Full screen").click().run()
    assert app.query_params["full"] in ("true", ["true"])
    assert any("stHeader" in str(one.proto.body) for one in app.get("html"))
    button(app, "Leave full screen").click().run()
    assert "full" not in app.query_params
