"""Buttons and a slider that play the frames of a figure."""

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from core.figures.text import show

PLAYER_HEIGHT = 90
"""Pixels that buttons and slider take below a figure."""
_BUTTONS = 140
"""Pixels that the buttons take."""
_AT_ONCE = {"mode": "immediate", "transition": {"duration": 0}}


def add_player(
    figure: Any,
    frames: Sequence[go.Frame],
    labels: Sequence[str],
    active: int,
    milliseconds: int,
    from_first: bool = False,
) -> None:
    """Add frames with "Play", "Pause" and a slider below the figure.

    Args:
        figure: changed in place; it shows the active frame already.
        frames: named "0", "1", ….
        labels: a word per frame, shown as text, never as markup.
        active: frame where the slider stands at first.
        milliseconds: that each frame is shown.
        from_first: whether "Play" starts over, instead of going on from the frame shown.
    """
    figure.frames = frames
    play = {"frame": {"duration": milliseconds, "redraw": True}, "fromcurrent": not from_first, **_AT_ONCE}
    still = {"frame": {"duration": 0, "redraw": True}, **_AT_ONCE}
    buttons = [
        {"label": "Play", "method": "animate", "args": [None, play]},
        {"label": "Pause", "method": "animate", "args": [[None], still]},
    ]
    steps = [{"label": show(label), "method": "animate", "args": [[str(k)], still]} for k, label in enumerate(labels)]
    below = {"y": 0, "yanchor": "top", "xanchor": "left"}
    menu = {"type": "buttons", "direction": "left", "showactive": False, "x": 0, "pad": {"t": 62, "r": 12}}
    slider = {"active": active}
    current = {"prefix": "", "xanchor": "right", "font": {"size": 13}}
    figure.update_layout(
        margin={"b": 56 + PLAYER_HEIGHT},
        updatemenus=[{**menu, **below, "buttons": buttons}],
        sliders=[{**slider, **below, "currentvalue": current, "steps": steps}],
    )
    place_slider(figure)


def place_slider(figure: Any) -> None:
    """Put the slider of a figure, which is changed in place, right of the buttons, however wide the figure is."""
    figure.update_layout(
        sliders=[{"x": 0, "len": 1, "pad": {"t": 52, "l": _BUTTONS, "r": 16}} for _ in figure.layout.sliders]
    )
