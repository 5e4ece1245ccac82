"""What Chromium makes of a figure, where the order of Plotly's layers decides what is seen."""

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from PIL import Image
from playwright.sync_api import Page

from core.figures.page import page as page_of
from core.figures.palette import POINTS_BELOW, POSTERIOR

pytestmark = pytest.mark.browser
RED = tuple(int(POSTERIOR.colour[i : i + 2], 16) for i in (1, 3, 5))


def colour_at_the_middle(page: Page, path: Path) -> tuple[int, ...]:
    page.goto(path.as_uri())
    page.wait_for_selector(".gl-canvas")
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    frame: Any = page.evaluate(
        "() => { const b = document.querySelector('.nsewdrag').getBoundingClientRect();"
        "return [b.x + b.width / 2, b.y + b.height / 2] }"
    )
    picture = Image.open(BytesIO(page.screenshot())).convert("RGB")
    return picture.getpixel((round(frame[0]), round(frame[1])))  # pyright: ignore[reportReturnType]


def test_a_vector_is_seen_above_a_dense_cloud(page, tmp_path):
    cloud = np.random.default_rng(0).uniform(-1, 1, size=(20_000, 2))
    figure = go.Figure(
        [
            go.Scattergl(x=cloud[:, 0], y=cloud[:, 1], mode="markers", marker={"size": 20, "color": "#444444"}),
            go.Scatter(x=[0], y=[0], mode="markers", marker={"size": 40, "color": POSTERIOR.colour}),
        ],
        {"xaxis": {"range": [-1, 1]}, "yaxis": {"range": [-1, 1]}},
    )
    html = page_of(figure, "A vector in a cloud")
    (tmp_path / "ours.html").write_text(html)
    (tmp_path / "plain.html").write_text(html.replace(POINTS_BELOW, ""))
    assert colour_at_the_middle(page, tmp_path / "ours.html") == RED
    assert colour_at_the_middle(page, tmp_path / "plain.html") != RED, "without our style the cloud hides it"
