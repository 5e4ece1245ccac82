import plotly.graph_objects as go

from core.figures.page import page


def test_a_page_needs_no_network_and_shows_text_as_text():
    made = page(go.Figure(go.Scattergl(x=[1], y=[2])), "A <b>title</b>", "x < y & z")
    assert "<script src=" not in made
    assert "Plotly.newPlot" in made
    assert "A &lt;b&gt;title&lt;/b&gt;" in made
    assert "x &lt; y &amp; z" in made
    assert ".gl-container" in made.split("<body>")[0], "points are drawn below vectors"
