"""The frame around a screen: back and next, all screens, full screen, the study."""

from collections.abc import Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.specs import StudySpec
from core.store import Store
from core.studies.items import VERSION
from core.studies.shipped import problems
from pages.findings_parts.studies import every_study_choice, show_provenance
from pages.widgets import cite
from pages.widgets.layout import plain
from pages.widgets.pages import HEADING
from pages.widgets.state import View

_BARE = (
    f"<style>[data-testid=stHeader], .st-key-{HEADING}, .st-key-{cite.FOOT} {{display: none}} "
    ".stMainBlockContainer.stMainBlockContainer {padding-top: 1rem}</style>"
)
"""In full screen a page has no navigation, heading or foot."""
_SCRIPT = """<script>
if (%s !== Boolean(document.fullscreenElement)) {
  const asked = document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen()
  asked.catch(() => {})  // refused where nobody pressed a key, such as for a link; the page is bare all the same
}
// A choice that was clicked keeps the arrow keys to itself; they are to turn the pages.
window.freeArrows ??= event => event.target.closest("[role=radio]") && document.activeElement.blur()
document.addEventListener("click", window.freeArrows, true)
</script>"""


def frame(view: View, titles: Sequence[str], store: Store) -> tuple[int, StudySpec]:
    """Draw the frame, and return the number of the screen, from 1, and the study."""
    full = view.read("full", False)
    view.keep("full", full, False)
    st.html((_BARE if full else "") + _SCRIPT % str(full).lower(), unsafe_allow_javascript=True)
    screens = {number: str(number) for number in range(1, len(titles) + 1)}
    with st.container(horizontal=True, vertical_alignment="center"):
        before = st.empty()
        number = view.segments("screen", "Screen", screens, label_visibility="collapsed", width="content")
        after = st.empty()
        _turn(view, before, "Back", "Left", number - 1, number > 1)
        _turn(view, after, "Next", "Right", number + 1, number < len(titles))
        st.markdown(f"**{plain(titles[number - 1])}**", width="stretch")
        st.button(
            "Leave full screen" if full else "Full screen",
            key=view.key("fullness"),
            shortcut="F",
            icon=":material/fullscreen_exit:" if full else ":material/fullscreen:",
            on_click=view.keep,
            args=("full", not full, False),
        )
        with st.popover("Study", icon=":material/inventory_2:"):
            study = every_study_choice(view, store)
            show_provenance(study)
            for line in problems(VERSION):
                st.warning(plain(line), icon=":material/inventory_2:")
    return number, study


def _turn(view: View, place: DeltaGenerator, label: str, key: str, to: int, there: bool) -> None:
    """Draw a button, with a key, that leads to another screen."""
    place.button(
        label,
        key=view.key(label.lower()),
        shortcut=key,
        disabled=not there,
        icon=f":material/arrow_{'back' if key == 'Left' else 'forward'}:",
        icon_position="left" if key == "Left" else "right",
        on_click=view.choose,
        args=("screen", to),
    )
