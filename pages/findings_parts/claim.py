"""One claim in full: the paper's words, how it is judged, the finding, and what it rests on."""

import json

import streamlit as st

from core.figures.verdicts import VERDICT_MARKS, VERDICT_SIGNS
from core.specs import StudyItemSpec, StudySpec
from core.store import Store
from core.studies.claims import Claim
from core.studies.claims.base import SEED
from core.studies.claims.judgement import Judgement
from core.studies.claims.notes import notes
from core.studies.foresight import foreseen
from core.studies.items import ITEMS, find_item
from core.studies.judgements import JudgedClaim
from pages.findings_parts.cost import cost_words, gone
from pages.findings_parts.seeds import offer_seeds
from pages.findings_parts.studies import lacking
from pages.widgets.beside import columns_or_rows
from pages.widgets.layout import draw, errors, plain, table
from pages.widgets.offers import offer
from pages.widgets.pages import link
from pages.widgets.state import View
from pages.widgets.tables import download

_COMPARED = 6
"""Most runs that a link to Compare opens."""


def show_claim(view: View, claim: Claim, study: StudySpec, judged: JudgedClaim | None, store: Store) -> None:
    """Draw a claim; if it is not judged on the study yet, offer that with its cost."""
    with st.container(border=True):
        st.subheader(f"C{claim.number} · {plain(claim.title)}", anchor=False)
        st.markdown(f"> {plain(claim.quote)}\n>\n> :gray[Section {plain(claim.section)} of the paper]")
        left, right = columns_or_rows("claim", (2, 17), (3, 30))
        with left:
            _about(claim)
        with right, errors():
            if judged is None:
                if reason := lacking(study, claim.item):
                    st.caption(plain(reason))
                title = f":material/gavel: C{claim.number} has not been judged on this study yet"
                if not gone(study, title):
                    offer(
                        "study",
                        StudyItemSpec(study=study, item=claim.item),
                        store,
                        title,
                        f"{cost_words(study, [claim.item], store)} {claim.also} Other items share this work. "
                        + foreseen(claim, study, store),
                        "Reproduce this claim",
                    )
            else:
                _found(view, judged)
                if claim.unit == SEED:
                    offer_seeds(view, claim, judged, store)
        with errors():
            _pictures(claim, study, judged, store)


def _about(claim: Claim) -> None:
    for title, text in (
        ("What is measured", claim.statistic),
        ("Why this statistic", claim.why),
        ("By chance alone", claim.null),
        ("Rule, fixed in advance", claim.rule),
        ("Independent unit", f"The {claim.unit}."),
    ):
        st.markdown(f"**{title}**  \n{plain(text)}")


def _found(view: View, judged: JudgedClaim) -> None:
    found = judged.judgement
    colour = VERDICT_MARKS[found.verdict].colour
    st.html(
        f'<span style="background:{colour};color:#fff;border-radius:6px;padding:6px 14px;font-size:1.15rem;'
        f'font-weight:600">{VERDICT_SIGNS[found.verdict]}</span>'
    )
    st.markdown(plain(found.words))
    st.markdown(f"#### {_headline(found)}")
    of_several = sum(part.decides for part in found.parts) > 1
    which = f", which supports the claim {found.headline}" if of_several else ""
    st.caption(
        f"Claimed: **{found.bounds.words}**. {found.n} {found.unit}s"
        + (f", p {found.p:.2g}" if found.p is not None else "")
        + f". The number above describes {plain(found.of)} ({plain(found.quantity)}){which}."
    )
    draw(judged.reproduced.picture, view.key("picture"), f"What was found on claim {judged.claim}, with its intervals")
    n = found.looks
    again = "" if n == 1 else f" Judged {n} times, with more seeds each time; the intervals account for that."
    for note in notes(found):
        st.markdown(f"- {plain(note)}")
    st.caption(
        f"Green area: where the number lies if the claim is right. Bars: {found.level:.0%} intervals over "
        f"{found.unit}s. Grey: by chance alone.{again} **{plain(found.rests_on)}**"
    )
    with st.expander("Numbers"):
        frame = judged.reproduced.points
        table(frame)
        download("Numbers", frame, f"claim-{judged.claim}")
    _runs(found)


def _headline(found: Judgement) -> str:
    """Return value and interval in Markdown."""
    low, high = (_number(bound) for bound in (found.low, found.high))
    return f"{_number(found.value)} :gray[\\[{low}, {high}\\] {found.level:.0%} interval]"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}"


def _runs(found: Judgement) -> None:
    """Link to the runs behind a verdict."""
    runs = list(dict.fromkeys(found.runs))
    if not runs:
        return
    first = list(found.first_runs[:_COMPARED])
    with st.expander(f"Runs behind the verdict ({len(runs)})"):
        shown = json.dumps(first, separators=(",", ":"))
        link("compare", f"Compare the first seed of {len(first)} priors or settings", runs=shown)
        with st.container(horizontal=True):
            for run in runs:
                link("tune", run, run=run)


def _pictures(claim: Claim, study: StudySpec, judged: JudgedClaim | None, store: Store) -> None:
    """Draw the paper's own pictures of a claim that were made on the study."""
    at = judged.study if judged else study
    known = [item for item in claim.figures if item in ITEMS]
    made = [
        found
        for item in known
        if (
            found := find_item(StudyItemSpec(study=at, item=item), store)
            or find_item(StudyItemSpec(study=study, item=item), store)
        )
    ]
    for found in made:
        with st.expander(f"The paper's picture: {plain(found.title)}"):
            draw(found.reproduced.picture, f"findings.{found.spec.item}", found.title)
            st.caption(plain(found.reproduced.caption))
    missing = [ITEMS[item].title for item in known if item not in {found.spec.item for found in made}]
    if missing and judged is not None:
        st.caption(f"Not yet made on this study: {plain('; '.join(missing))}.")
