"""A figure as an HTML page that opens without a network."""

from html import escape

import plotly.graph_objects as go

from core.figures.palette import POINTS_BELOW

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


CODE = "plotly.min.js"
"""The file beside a page from which it loads Plotly's code, unless the code is inside the page."""


def page(figure: go.Figure, title: str, caption: str = "", alone: bool = True) -> str:
    """Return a page in HTML.

    Args:
        figure: drawn in it.
        title: above the figure; shown as text, never as markup.
        caption: below the figure, likewise.
        alone: whether Plotly's code (4.6 MB) is inside; otherwise the file `CODE` must lie beside the page.
    """
    code = True if alone else "directory"
    picture = figure.to_html(include_plotlyjs=code, full_html=False, config={"displaylogo": False}, auto_play=False)
    return _PAGE.format(below=POINTS_BELOW, title=escape(title), picture=picture, caption=escape(caption))
