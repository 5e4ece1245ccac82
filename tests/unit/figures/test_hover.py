from typing import Any

import numpy as np
import pandas as pd
import pytest

from core.figures.cloud_map import Axes, map_figure
from core.figures.hover import hover, token_hover
from core.figures.layer import Layer


@pytest.mark.parametrize("text", ["<b>", "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "a&b"])
def test_text_in_a_hover_never_is_markup(text):
    texts = [hover((text, text, text), text)]
    layer = Layer(text, np.zeros((1, 2), np.float32), "dataset", hover=texts)
    figure: Any = map_figure([layer], Axes(("x", "y")))
    trace = figure.data[0]
    own = trace.hovertext[0].replace("<b>", "", 1).replace("</b>", "", 1).replace("<br>", "", 1)
    assert "<" not in own
    assert "<" not in trace.name


def test_white_space_of_a_token_is_seen_in_bold():
    assert hover(("a ", " b ", "\tc")) == "a <b>␣b␣</b>⇥c"


def test_empty_lines_are_left_out():
    assert hover("first", "", "third") == "first<br>third"


def test_tokens_of_a_vocabulary_are_told_by_their_number():
    rows = pd.DataFrame({"token": ["<b>"], "token_id": [7]})
    assert token_hover(rows) == ["<b>&lt;b&gt;</b><br>token 7"]
    assert token_hover(rows.assign(context_before=None, context_after=None)) == ["<b>&lt;b&gt;</b><br>token 7"]


def test_tokens_of_texts_are_told_in_context():
    rows = pd.DataFrame(
        {"token": ["<b>"], "context_before": ["<script>"], "context_after": ["x"], "document": [1], "position": [2]}
    )
    assert token_hover(rows) == ["&lt;script&gt;<b>&lt;b&gt;</b>x<br>document 1 · position 2"]


def test_a_quote_is_no_markup_and_stays():
    assert hover('it is "so"') == 'it is "so"'
