"""A chart that stays in the browser while its figure changes, with its zoom and its hidden layers.

`st.plotly_chart` builds a chart from nothing for each figure: a zoomed map is whole again, and WebGL starts again,
which takes longer than the points do. Decision 0048.
"""

import json
from pathlib import Path

import plotly
import plotly.graph_objects as go
from plotly.utils import PlotlyJSONEncoder
from streamlit.components.v1 import declare_component
from streamlit.components.v2 import component

from core.figures.page import CODE
from core.figures.style import Properties

_PLOTLY = declare_component("plotly", path=Path(plotly.__file__).parent / "package_data")
"""Is never mounted: it is how Streamlit serves the folder that Plotly's code is in."""
_CHART = component(
    "steady_chart",
    html='<div class="steady-chart" role="figure"></div>',
    css=".steady-chart:fullscreen { background: var(--st-background-color); }",
    js=Path(__file__).with_suffix(".js").read_text(encoding="utf-8"),
    isolate_styles=False,
)


def draw_steadily(figure: go.Figure, key: str, alt: str, config: Properties) -> None:
    """Draw a figure over the whole width in the chart of that key, which stays if it is there.

    Args:
        figure: with a `uirevision`; a figure with another one begins with its own zoom.
        key: of the chart.
        alt: describes the chart in a sentence to those who cannot see it.
        config: Plotly's, of the chart.
    """
    told = {"figure": figure.to_dict(), "config": config, "alt": alt, "plotly": f"component/{_PLOTLY.name}/{CODE}"}
    _CHART(key=key, data=json.dumps(told, cls=PlotlyJSONEncoder).encode())


def load_ahead(key: str) -> None:
    """Draw an empty chart, so that the browser loads Plotly's code before there is a figure."""
    draw_steadily(go.Figure(layout={"height": 10}), key, "", {})
