"""The choice of a study, and the matrix of claims over all studies."""

from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from core.figures.verdicts import matrix_figure
from core.specs import DEFAULT_MODEL, DatasetSpec, ModelSpec, StudySpec
from core.specs.model import short_name
from core.store import Store, list_jobs
from core.studies.claims import CLAIMS
from core.studies.items import ITEMS, KIND, VERSION, studies_of
from core.studies.judgements import JudgedClaim, best
from core.studies.shipped import finished_of, finished_studies, problems
from pages.widgets.choices import model_choice
from pages.widgets.layout import counted, draw, plain
from pages.widgets.pages import SHARED
from pages.widgets.state import View

SIZES = {"standard": "Standard", "quick": "Quick"}
_MOST_NAMED = 3
"""Most differences from the quick study that a name lists."""


def study_choice(view: View, store: Store) -> StudySpec:
    """Draw the pickers of model and study, and return the study."""
    left, right = st.columns([1, 1], gap="large")
    with left:
        model, _ = model_choice(store, studied=[one.spec.model.name for one in finished_studies(VERSION)])
    known = studies(model, store)
    with right:
        name = view.choice(
            "study",
            "Study",
            list(known),
            _first(known, store),
            show=lambda key: _named(known[key], model),
            help="Standard: runs end when the loss no longer improves; it takes hours on two cores. Quick: 150 texts "
            "and short runs; it takes less than half an hour. The others came with the program or were made here.",
        )
        study = known[name]
        show_provenance(study)
        for line in problems(VERSION):
            st.warning(plain(line), icon=":material/inventory_2:")
        st.caption(
            plain(
                f"{study.n_texts:,} texts of {study.texts.label}, {study.questions.label} and "
                f"{study.arithmetic.label}; {study.n_seeds} seeds of soft and {study.n_deep_seeds} of deep prompts to "
                f"start with; encoder "
                f"{short_name(study.encoder.name)}."
            )
        )
    return study


def show_provenance(study: StudySpec) -> None:
    """Write where a study comes from, and what it lacks, if it came with the program."""
    if finished := finished_of(study, VERSION):
        left = [item for item in ITEMS if finished.why_not(item)]
        lacks = f" It lacks {counted(len(left), 'item')} of {len(ITEMS)}: {', '.join(left)}." if left else ""
        st.caption(f"**{plain(study.model.label)}** · {finished.provenance}{plain(lacks)}")


def lacking(study: StudySpec, item: str) -> str:
    """Return why a finished study does not have an item, as a sentence; empty where it has, or is none."""
    finished = finished_of(study, VERSION)
    why = finished.why_not(item) if finished else ""
    return f"{why[:1].upper()}{why[1:]}." if why else ""


def _first(known: Mapping[str, StudySpec], store: Store) -> str:
    """Return the study that the page opens on.

    It is one that is being made, or that came with the program; the quick one where the program has
    none of the model and another was made here, or a person chose the model.
    """
    jobs = [job for job in list_jobs(store, KIND) if not job.status().ended]
    first = [StudySpec.parse(job.spec["study"]) for job in jobs]
    model, finished = known["quick"].model, [one.spec for one in finished_studies(VERSION)]
    made = any(study.model == model for study in studies_of(store))
    first += [study for study in finished if study.model == model or not made]
    own = {study.without_seeds.fingerprint(): key for key, study in known.items()}
    return next((key for study in first if (key := own.get(study.without_seeds.fingerprint()))), "quick")


def studies(model: ModelSpec, store: Store) -> dict[str, StudySpec]:
    """Return the studies to choose from: two sizes for this model, and others made for it.

    With the default model, which nobody has to choose, also the finished studies of other models.
    """
    known = {size: _sized(size, model) for size in SIZES}
    there = {study.without_seeds.fingerprint() for study in known.values()}
    for study in studies_of(store):
        key = study.without_seeds.fingerprint()
        if study.model == model and key not in there:
            known.setdefault(key[:8], study)
    if model.name != DEFAULT_MODEL:
        return known
    others = (one.spec for one in finished_studies(VERSION) if one.spec.model != model)
    return known | {study.without_seeds.fingerprint()[:8]: study for study in others}


def _named(study: StudySpec, model: ModelSpec) -> str:
    """Return a study's name, with its model where that is not the chosen one."""
    own = study.model == model
    return study_name(study) if own else f"{short_name(study.model.name)} · {study_name(study)}, came with the program"


def study_name(study: StudySpec) -> str:
    """Return a study's name: its size, or how it differs from the quick study."""
    for size, words in SIZES.items():
        if _sized(size, study.model).without_seeds == study.without_seeds:
            return words
    quick = _sized("quick", study.model)
    fields = {
        name: field for name, field in StudySpec.model_fields.items() if name not in ("model", *StudySpec.seed_fields)
    }
    parts = [
        f"{field.title}: {_value(getattr(study, name))}"
        for name, field in fields.items()
        if getattr(study, name) != getattr(quick, name)
    ]
    more = f" and {len(parts) - _MOST_NAMED} more" if len(parts) > _MOST_NAMED else ""
    return ", ".join(parts[:_MOST_NAMED]) + more


def _value(value: object) -> str:
    if isinstance(value, DatasetSpec):
        return value.label
    return short_name(value.name) if isinstance(value, ModelSpec) else str(value)


def every_study_choice(view: View, store: Store) -> StudySpec:
    """Draw the picker of the existing studies, of any model; the first came with the program."""
    finished = [one.spec for one in finished_studies(VERSION)]
    finished.sort(key=lambda study: study.model != ModelSpec())
    there = [*finished, *(study for study in studies_of(store) if study not in finished)]
    known = {study.fingerprint()[:8]: study for study in there or [StudySpec.asked("quick")]}

    def name(key: str) -> str:
        study = known[key]
        origin = "came with the program" if study in finished else f"{counted(study.n_seeds, 'seed')}, made here"
        return f"{short_name(study.model.name)} · {study_name(study)} · {origin if there else 'not made yet'}"

    return known[view.choice("study", "Study", list(known), show=name)]


def matrix(
    view: View, study: StudySpec, claim: int, found: Sequence[JudgedClaim], choose: Callable[[int, StudySpec], None]
) -> None:
    """Draw the matrix of claims by studies; a click chooses the claim and the study of a cell."""
    columns = {study.without_seeds.fingerprint(): study}
    for one in found:
        columns.setdefault(one.study.without_seeds.fingerprint(), one.study)
    shown = sorted(columns.values(), key=lambda one: (short_name(one.model.name), study_name(one)))
    cells = {
        (number, index): judged
        for index, column in enumerate(shown)
        for number in CLAIMS
        if (judged := best(found, column, number))
    }
    chosen = next(index for index, column in enumerate(shown) if column.without_seeds == study.without_seeds)
    draw(
        matrix_figure(
            [(number, one.title) for number, one in CLAIMS.items()],
            [f"{short_name(one.model.name)} · {study_name(one)}" for one in shown],
            {cell: one.judgement.verdict for cell, one in cells.items()},
            {cell: f"C{one.claim} {one.judgement.verdict} · {one.judgement.rests_on}" for cell, one in cells.items()},
            (claim, chosen),
        ),
        view.key("matrix"),
        "Matrix of verdicts: a row per claim, a column per study",
        lambda point: choose(int(point["customdata"][0]), shown[int(point["customdata"][1])]),
    )
    st.caption(
        "A verdict compares an interval with bounds that were fixed in advance. A small model with few seeds speaks "
        "only for itself, and “undecided” is a valid verdict. Click a cell to open it."
    )


def open_claim(view: View, claim: int, study: StudySpec) -> None:
    """Open a claim on a study, whatever its model."""
    view.choose("claim", claim)
    View(SHARED).choose("model", study.model.name)
    view.choose("study", study_key(study))


def study_key(study: StudySpec) -> str:
    """Return the key of a study in `studies`."""
    for size in SIZES:
        if _sized(size, study.model).without_seeds == study.without_seeds:
            return size
    return study.without_seeds.fingerprint()[:8]


def _sized(size: str, model: ModelSpec) -> StudySpec:
    return StudySpec.asked(size, model=model)
