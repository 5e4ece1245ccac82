"""Texts, or a question with its answer, as trajectories; how they move, against nulls."""

import streamlit as st

from pages.widgets.pages import through_app

through_app()

from core.store import Store
from pages.trajectories_parts.controls import TrajectoryRequest, controls
from pages.trajectories_parts.documents import document_numbers
from pages.trajectories_parts.following import need_trajectories
from pages.trajectories_parts.numbers import answer_table, text_numbers
from pages.trajectories_parts.picture import need_background, over_what_is_stored, parts_of, picture
from pages.widgets.beside import controls_beside
from pages.widgets.layout import empty, errors
from pages.widgets.state import View
from pages.widgets.tables import download


def show(view: View, request: TrajectoryRequest, store: Store) -> None:
    """Draw the trajectories and write the numbers, as far as the store allows."""
    tables = {}
    if not request.specs:
        empty("edit_note", "No text yet", "Type a sentence or a question on the left.")
    else:
        shown = over_what_is_stored(view, request, store)
        stored = need_background(shown, store)
        found = need_trajectories(shown.specs, store) if stored else None
        if stored and found and (parts := parts_of(shown, found)):
            with errors():
                tokens = picture(view, shown, parts, stored, store)
                if tokens is not None:
                    tables["tokens"] = tokens
            if shown.generates:
                answer_table(parts)
            with errors():
                tables["texts"] = text_numbers(view, shown, parts, store)
        elif stored and found:
            empty(
                "filter_alt_off",
                "No token of these texts is shown",
                "The tokenizer turns them into special tokens only; keep special tokens under Tokens and points.",
            )
    with errors():
        tables |= document_numbers(view, request, store)
    with st.container(horizontal=True):
        for name, frame in tables.items():
            download(name.capitalize(), frame, f"trajectories-{name}")


controls_beside(View("trajectories"), Store.default(), controls, show)
