"""The screens of the story, in their order."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st

from core.figures.verdicts import VERDICT_SIGNS
from core.specs import StudySpec
from core.store import Store
from core.studies.claims import CLAIMS
from core.studies.judgements import best, judgements
from core.studies.shipped import VERSION, finished_with
from pages.findings_parts.studies import lacking
from pages.story_parts.chosen_prior import chosen_prior
from pages.story_parts.pictures import ended, jumps, moves, parted, quality, verdicts
from pages.widgets.layout import plain
from pages.widgets.state import View


@dataclass(frozen=True)
class Screen:
    """One screen.

    Attributes:
        title: a few words.
        sentence: what the picture is about, in Markdown.
        draw: draws the control and the picture, or says what is missing.
        claims: the numbers of the claims that judge the sentence.
    """

    title: str
    sentence: str
    draw: Callable[[View, StudySpec, Store], None]
    claims: tuple[int, ...] = ()


SCREENS = (
    Screen("Tokens jump", "A text does not glide through the cloud: from token to token it jumps.", jumps, (1,)),
    Screen("Layers part the domains", "From layer to layer, texts, questions and sums move apart.", parted, (2, 3)),
    Screen(
        "A prior is a choice",
        "A prior decides where a prompt begins; in many dimensions that is a thin shell, whatever a map shows.",
        chosen_prior,
    ),
    Screen("Training moves it", "While the loss falls, the prompt leaves its prior sample.", moves),
    Screen("Where it ended", "Several priors, one task: do their prompts meet in the end?", ended, (5,)),
    Screen("Same quality?", "Is one prior better than another? Intervals over seeds tell.", quality, (6, 7)),
    Screen("Which claims hold", "What holds here, what fails, and what remains open.", verdicts),
)


def show_claims(numbers: Sequence[int], study: StudySpec, store: Store) -> None:
    """Write the verdict of claims on a study, a line each."""
    found = judgements(store) if numbers else []
    for number in numbers:
        judged, where = best(found, study, number), ""
        other = finished_with([CLAIMS[number].item], VERSION) if lacking(study, CLAIMS[number].item) else None
        if judged is None and other:
            judged, where = best(found, other.spec, number), f" on {other.spec.model.label}, not judged on this study"
        verdict = VERDICT_SIGNS[judged.judgement.verdict] + where if judged else "not judged on this study yet"
        words = f"  \n:gray[{plain(judged.judgement.words)}]" if judged else ""
        st.markdown(f"**C{number} · {plain(CLAIMS[number].title)}: {verdict}**{words}")
