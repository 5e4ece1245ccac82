"""Where a study differs from the paper's setting, in words."""

from core.specs import StudySpec
from core.specs.study import PAPER_MODEL
from core.specs.tuning import PAPER_SITES
from core.studies.arms import ABSOLUTE_DEEP_RATE

UNSAID = (
    "The paper names no optimiser, batch size, warm-up or rule for the end of training; here AdamW with 10 steps of "
    "warm-up and without clipping or weight decay trains until the validation loss no longer improves.",
    "The paper does not name its six arithmetic tasks, its sentences or its higher layer; here they are our choice.",
    "The paper calls activations behind the last block those of the last layer; here deep prompts and their clouds "
    "are at that block's input, where the prompts enter.",
)
"""What the paper leaves open, so that every study differs from it in an unknown way."""


def deviations(study: StudySpec) -> list[str]:
    """Return a line for each way in which a study is not the paper's."""
    paper = StudySpec.asked("paper")
    found = [
        _other("model", study.model.name, PAPER_MODEL),
        _other("encoder of Figure 5", study.encoder.name, paper.encoder.name),
        _other("plain texts", study.texts.label, "c4"),
        _other("task of soft prompts", study.soft_task.label, paper.soft_task.label),
        _other("task of deep prompts", study.deep_task.label, paper.deep_task.label),
        _other("texts per data set", study.n_texts, paper.n_texts),
        _other("prompted blocks", _listed(study.prompt_sites), _listed(PAPER_SITES)),
        _other("learning rate of deep prompts", _rate(study), f"{ABSOLUTE_DEEP_RATE:g} absolute"),
    ]
    if study.questions.path is None:
        found.append(
            "Questions are SQuAD's development set, split by article, and not its training set; the file "
            "train-v1.1.json gives that (--questions squad:PATH)."
        )
    return [line for line in found if line] + list(UNSAID)


def _other(what: str, here: object, paper: object) -> str:
    return "" if here == paper else f"{what[0].upper()}{what[1:]}: {here} here, {paper} in the paper."


def _listed(sites: tuple[int, ...]) -> str:
    return ", ".join(map(str, sites))


def _rate(study: StudySpec) -> str:
    return f"{study.deep_rate:g} {study.deep_rate_unit}"
