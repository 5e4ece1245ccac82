"""What Streamlit's binding of widgets to the address cannot carry; see docs/decisions/0023-address-binding.md.

Where one of these tests fails, a new version of Streamlit has lifted a limit, and the decision can be looked at again.
"""

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest


def _labels() -> None:
    import streamlit as st

    st.selectbox("Site", [0, 1], format_func=lambda site: f"{site} · label", key="site", bind="query-params")


def _lists() -> None:
    import streamlit as st

    st.multiselect("Runs", ["a", "b"], key="runs", bind="query-params")


def _two_widgets() -> None:
    import streamlit as st

    if st.toggle("Second page", key="second"):
        st.selectbox("Data", ["math", "news"], key="data", bind="query-params")
    else:
        st.multiselect("Data", ["news", "math"], ["news"], key="data", bind="query-params")


def _opened(script: Callable[[], None], **address: str) -> AppTest:
    app = AppTest.from_function(script)
    for name, value in address.items():
        app.query_params[name] = value
    return app.run()


def test_a_select_box_is_bound_by_its_label():
    assert _opened(_labels, site="1 · label").selectbox[0].value == 1


@pytest.mark.parametrize(
    ("script", "name", "value"), [(_labels, "site", "1"), (_labels, "site", "7"), (_lists, "runs", '["a","b"]')]
)
def test_what_the_binding_does_not_know_is_dropped_in_silence(script, name, value):
    app = _opened(script, **{name: value})
    assert name not in app.query_params
    assert not app.warning


def test_one_name_is_one_value_whatever_widget_has_it():
    app = _opened(_two_widgets)
    app.toggle(key="second").set_value(True).run()
    assert app.selectbox(key="data").value == ["news"]
    assert app.selectbox(key="data").options == ["math", "news"]
