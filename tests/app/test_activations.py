"""The Activations page."""

import json

import pytest

from core.activations.clouds import find_cloud
from core.engine import client
from core.sources.datasets import load_dataset
from core.store import Store
from tests.app.conftest import Content, charts_of, open_page, table_of, texts_of


def _activations(filled: Content, **params: str):
    return open_page(
        "activations",
        **{
            "model": filled.model.name,
            "data": '["file"]',
            "path": str(filled.dataset.path),
            "samples": "30",
            "rows": "500",
            **params,
        },
    )


def test_activations_draw_the_cloud_with_its_qualifying_numbers(filled, no_engine):
    app = _activations(filled)
    chart = charts_of(app)[0]
    assert chart["layout"]["xaxis"]["title"]["text"].startswith("PC1 (")
    assert [trace["name"] for trace in chart["data"]] == ["stories.txt (500)"]
    assert "Left out: special tokens, padding, first positions." in texts_of(app)
    assert app.metric[0].value == "500"
    assert no_engine == []


def test_activations_say_where_their_texts_came_from(filled, no_engine):
    shown = texts_of(_activations(filled)).replace("\\", "")
    cloud = find_cloud(filled.cloud, Store(filled.root))
    assert cloud is not None
    known = cloud.info["dataset_provenance"]
    assert "**stories.txt** · your own file" in shown
    assert "Source: file: file stories.txt" in shown
    assert f"Used: {known['n_records']} of {known['n_available']} texts" in shown
    assert f"SHA-256: texts drawn {known['content_sha256'][:16]}" in shown
    assert f"{cloud.info['n_tokens_read']:,} tokens read" in shown


def test_activations_in_three_dimensions_use_the_same_map(filled, no_engine):
    chart = charts_of(_activations(filled, dimensions="3", colour="token"))[0]
    assert {trace["type"] for trace in chart["data"]} == {"scatter3d"}
    assert chart["data"][0]["name"] == "other tokens"
    assert no_engine == []


def test_the_last_site_is_opened_by_its_link(filled, no_engine):
    app = _activations(filled, site="final")
    assert app.selectbox(key="activations.site").value == "final"
    assert app.query_params["site"] == "final"
    assert "not been captured yet" in texts_of(app)


def test_activations_not_captured_say_the_cost_and_submit(filled, no_engine):
    app = _activations(filled, seed="7")
    assert "not been captured yet" in texts_of(app)
    cost = table_of(app, "basis")
    assert list(cost.columns) == ["data set", "tokens read", "time", "disk", "basis"]
    app.button(key="activations.capture").click().run()
    assert [(kind, spec.sites, spec.seed) for kind, spec in no_engine] == [("capture", "all", 7)]


def _twins(filled: Content) -> list[str]:
    """Write two different files of one name."""
    paths = []
    for name in ("first", "second"):
        folder = filled.root / "uploads" / name
        folder.mkdir(parents=True)
        (folder / "texts.txt").write_text("\n\n".join(f"{name} text number {i}." for i in range(20)))
        paths.append(str(folder / "texts.txt"))
    return paths


def test_two_files_of_one_name_are_captured_each_with_its_own_job(filled, no_engine):
    app = _activations(filled, path="", files=json.dumps(_twins(filled)))
    assert list(table_of(app, "basis")["data set"]) == ["texts.txt (first)", "texts.txt (second)"]
    app.button(key="activations.capture").click().run()
    assert len(no_engine) == 2
    asked = {f"cancel.{client.job_id(kind, spec)}" for kind, spec in no_engine}
    assert len(asked) == 2
    assert asked <= {button.key for button in app.button}
    assert "texts.txt \\(first\\)" in texts_of(app)


@pytest.mark.parametrize("named", [{"text_column": "body"}, {"prompt_column": "q", "answer_column": "a"}])
def test_a_table_is_used_by_the_columns_that_are_named(named, filled, no_engine):
    table = filled.root / "table.csv"
    table.write_text("q,a,body\n" + "".join(f"Sum {i}?,{i},A tale of {i} cats.\n" for i in range(20)))
    app = _activations(filled, path=str(table), **named)
    app.button(key="activations.capture").click().run()
    app = open_page("tune", model=filled.model.name, data="file", path=str(table))
    for name, column in named.items():
        app.text_input(key=f"tune.{name}").set_value(column).run()
        assert app.query_params[name] == column
    next(button for button in app.button if button.label == "Start tuning").click().run()
    for _, spec in no_engine:
        assert load_dataset(spec.dataset, Store(filled.root)).is_task == ("prompt_column" in named)
    assert [kind for kind, _ in no_engine] == ["capture", "tune"]


def test_squad_and_c4_can_be_local_files(filled, no_engine):
    app = _activations(filled, data='["squad","c4"]', squad_path=filled.dataset.path, c4_path=filled.dataset.path)
    app.button(key="activations.capture").click().run()
    assert [(spec.dataset.name, spec.dataset.path) for _, spec in no_engine] == [
        ("squad", filled.dataset.path),
        ("c4", filled.dataset.path),
    ]
    app = open_page("tune", model=filled.model.name, data="squad", squad_path=filled.dataset.path)
    next(button for button in app.button if button.label == "Start tuning").click().run()
    assert no_engine[-1][1].dataset.path == filled.dataset.path


def test_a_tsne_map_is_offered_with_its_time_and_never_drawn_unasked(filled, no_engine):
    app = _activations(filled, method="tsne", perplexity="12")
    assert "Drawing it takes about" in texts_of(app)
    assert no_engine == []
    app.button(key="draw.tsne").click().run()
    assert [(kind, spec.method, spec.perplexity) for kind, spec in no_engine] == [("projection", "tsne", 12)]


def test_an_encoder_is_looked_at_but_not_tuned(filled, no_engine):
    app = _activations(filled, model="all-minilm-l6-v2", pooling="mean")
    assert app.query_params["pooling"] == "mean"
    assert "6 blocks, width 384" in texts_of(app)
    told = texts_of(open_page("tune", model="all-minilm-l6-v2")).replace("\\", "")
    assert "'all-minilm-l6-v2' is an encoder: Activations can show it, but a prompt for it cannot be tuned" in told
    assert no_engine == []


def test_where_no_hub_is_the_page_offers_what_needs_none(filled, no_engine):
    app = _activations(filled, model="t5-base")
    assert "the hub, which is out of reach (HF_HUB_OFFLINE is set)" in texts_of(app).replace("\\", "")
    app.button(key="model.instead").click().run()
    assert app.selectbox(key="model.model").value == "all-minilm-l6-v2"
    assert "6 blocks, width 384" in texts_of(app)
