"""A figure as a page of its own, which opens without a network."""

from html import escape

import plotly.graph_objects as go

from core.figures.style import POINTS_BELOW

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>{title}</title>
<style>
body {{ font-family: sans-serif; color: #222; max-width: 1180px; margin: 2rem auto; padding: 0 1rem; }}
h1 {{ font-size: 1.25rem; font-weight: 600; }}
p {{ color: #555; line-height: 1.45; }}
{below}
</style></head>
<body><h1>{title}</h1>
{picture}
<p>{caption}</p>
</body></html>
"""


def page(figure: go.Figure, title: str, caption: str = "") -> str:
    """Return a page in HTML.

    Args:
        figure: drawn in it, with Plotly's own code inside.
        title: above it; shown as text, never as markup.
        caption: below it, likewise.
    """
    picture = figure.to_html(include_plotlyjs=True, full_html=False, config={"displaylogo": False})
    return _PAGE.format(below=POINTS_BELOW, title=escape(title), picture=picture, caption=escape(caption))
