"""The maps that have names."""

import streamlit as st

from core.jobs.projection import MAP
from core.specs import ProjectionSpec
from core.specs.model import short_name
from core.store import Store
from core.store.names import LONGEST, Named, forget_name, list_names, rename
from core.store.read_only import read_only
from pages.maps.choice import data_words
from pages.widgets.layout import errors, plain
from pages.widgets.reach import closed


def named_maps(store: Store) -> None:
    """List the named maps, each with a field to rename it and a button to remove the name."""
    found = list_names(store, MAP)
    if found:
        st.subheader("Named maps", anchor=False)
        if not closed("names cannot be removed here"):
            st.caption("Named maps are never pruned. Remove a name to let its map be pruned.")
    for named in found:
        what, change, gone = st.columns([5, 4, 2], vertical_alignment="center")
        there = "" if store.folder(MAP, named.key).exists() else " · :red[no longer in the cache folder]"
        what.markdown(f"**{plain(named.name)}** :gray[{plain(named_words(named))}]{there}")
        if read_only():
            continue
        new = change.text_input(
            "Name", named.name, LONGEST, key=f"maps.rename.{named.key}", label_visibility="collapsed"
        )
        if new.strip() and new.strip() != named.name:
            with errors():
                rename(store, MAP, named.name, new)
                st.rerun()
        if gone.button("Remove name", key=f"maps.forget.{named.key}", width="stretch"):
            forget_name(store, MAP, named.name)
            st.rerun()


def named_words(named: Named) -> str:
    """Say what a named map is, from what it was asked for, in plain text."""
    spec = ProjectionSpec.parse(named.spec)
    method = "PCA" if spec.method == "pca" else "t-SNE"
    what = "vocabulary" if spec.vocabulary else data_words(spec)
    return f"{method} · {what} · site {spec.site} · {short_name(spec.model.name)} · {named.key}"
