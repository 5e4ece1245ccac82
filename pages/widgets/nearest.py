"""What a page shows if the exact view is not stored: the nearest one, and how it differs."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import streamlit as st

from core.specs.nearest import Nearest
from pages.widgets.layout import plain


@contextmanager
def shown_instead(found: Sequence[Nearest]) -> Iterator[None]:
    """Say how the view differs from the one asked for; what is drawn inside offers that one.

    If nothing is near, only what is inside is drawn.
    """
    if not found:
        yield
        return
    words = "; ".join(dict.fromkeys(one.words for one in found))
    with st.container(border=True):
        st.markdown(f":material/near_me: What you chose is not stored. The nearest view is shown: **{plain(words)}**.")
        with st.expander("Make exactly what is chosen"):
            yield
