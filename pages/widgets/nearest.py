"""What is shown while exactly what was asked for is not stored: the nearest that is, and what differs."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import streamlit as st

from core.specs.nearest import Nearest
from pages.widgets.layout import plain


@contextmanager
def shown_instead(found: Sequence[Nearest]) -> Iterator[None]:
    """Say how what is shown differs from what was asked for; what is drawn inside offers to make that.

    Where nothing is near, only what is inside is drawn.
    """
    if not found:
        yield
        return
    words = "; ".join(dict.fromkeys(one.words for one in found))
    with st.container(border=True):
        st.markdown(f":material/near_me: Not stored as chosen. The nearest is shown: **{plain(words)}**.")
        with st.expander("Make exactly what is chosen"):
            yield
