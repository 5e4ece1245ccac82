"""What there is to see: pictures of the finished study first, then the pages, a demo, and what is here."""

import streamlit as st

from pages.widgets.pages import through_app

through_app()

from core.store import Store
from core.studies.shipped import VERSION, finished_studies
from pages.overview_parts.pictures import LAYERS, PROMPTS, show_opening
from pages.widgets.state import View

page_store, page_view = Store.default(), View("overview")
finished = finished_studies(VERSION)
st.markdown(
    "Prompt-tuning leaves a language model frozen and learns a few vectors that are put before the text. "
    "**priorscope** shows where those vectors start (a sample of a *prior*), where they end up (a *posterior*), "
    "and where both lie among the embeddings and activations that the model itself uses, with the numbers "
    "that say whether to believe the picture."
)
show_opening(page_view, PROMPTS)

# What is imported from here on takes longer than the first picture.
from pages.findings_parts.studies import show_provenance
from pages.overview_parts.pages import show_pages
from pages.overview_parts.verdicts import show_verdicts
from pages.widgets.beside import columns_or_rows

if finished:
    left, right = columns_or_rows("overview-pair", (1, 34), (1, 34), gap="medium")
    with left:
        show_opening(page_view, LAYERS)
    with right:
        show_verdicts(page_view, finished, page_store)
    for study in finished:
        show_provenance(study.spec)
show_pages(page_view, page_store)
