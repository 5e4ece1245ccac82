"""The paper's claims: which hold here, how certain that is, and what it rests on."""

import streamlit as st

from pages.widgets.pages import through_app

through_app()

from functools import partial

from core.specs import StudyItemSpec
from core.store import Store
from core.studies.claims import CLAIMS
from core.studies.items import ITEMS, KIND
from core.studies.judgements import best, judgements
from pages.findings_parts.claim import show_claim
from pages.findings_parts.everything import show_everything, show_running, show_transfer
from pages.findings_parts.studies import matrix, open_claim, study_choice
from pages.widgets.cite import cite_job
from pages.widgets.layout import empty, errors
from pages.widgets.state import View

SHOWN = {"claims": "Claims", "transfer": "Transfer", "everything": "Everything and the report"}

page_view, page_store = View("findings"), Store.default()
with errors():
    study = study_choice(page_view, page_store)
    parts = {name: title for name, title in SHOWN.items() if name != "transfer" or "transfer" in ITEMS}
    shown = page_view.segments("show", "Show", parts, label_visibility="collapsed")
    if shown == "everything":
        for item in ITEMS:
            cite_job(KIND, StudyItemSpec(study=study, item=item))
        show_everything(study, page_store)
    elif shown == "transfer":
        show_running(study, page_store)
        show_transfer(page_view, study, page_store)
    else:
        show_running(study, page_store)
        found = judgements(page_store)
        if not found:
            empty(
                "gavel", "No claim has been judged yet", "Open a claim below, or reproduce everything on the last tab."
            )
        above = st.container()
        number = page_view.choice(
            "claim", "Claim", list(CLAIMS), show=lambda number: f"C{number} · {CLAIMS[number].title}"
        )
        with above, errors():
            if found:
                matrix(page_view, study, number, found, partial(open_claim, page_view))
        claim, judged = CLAIMS[number], best(found, study, number)
        cite_job(*(judged.asked if judged else (KIND, StudyItemSpec(study=study, item=claim.item))))
        show_claim(page_view, claim, study, judged, page_store)
