"""How well generated answers agree with accepted ones."""

import re
import string
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from statistics import fmean

from torchmetrics.functional.text import squad

from core.specs.tuning import Scoring

_NUMBER = re.compile(r"[+-]?(?:\d{1,3}(?:,\d{3})+|\d{1,300})?(?:\.\d{0,300})?(?:[eE][+-]?\d{1,3})?")
_FRACTION = re.compile(r"([+-]?\d{1,300})\s*/\s*(\d{1,300})")
_WITHOUT_SPACES = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
"""Letters of scripts that put no spaces between words: Thai, Lao, Burmese, Khmer, Japanese,
Chinese."""


def squad_scores(predictions: Sequence[str], answers: Sequence[Sequence[str]]) -> dict[str, float]:
    """Return exact match, F1, precision and recall, each from 0 to 1, by SQuAD's normalisation.

    Lower case, without punctuation and articles. Of several accepted answers the best one counts;
    precision and recall are those of the answer that gives the best F1.

    Source: 3.5 of the paper (quality); exact match and F1 are torchmetrics'.
    """
    asked = [{"prediction_text": text, "id": str(i)} for i, text in enumerate(predictions)]
    known = [
        {"answers": {"text": list(some), "answer_start": [0] * len(some)}, "id": str(i)}
        for i, some in enumerate(answers)
    ]
    official = squad(asked, known)  # pyright: ignore[reportArgumentType]
    ours = _overlap(predictions, answers, lambda text: normalise(text).split())
    return {
        "exact_match": float(official["exact_match"]) / 100,
        "f1": float(official["f1"]) / 100,
        "precision": ours["precision"],
        "recall": ours["recall"],
    }


def normalise(text: str) -> str:
    """Return a text as SQuAD compares it: lower case, without punctuation, articles and extra spaces."""
    kept = "".join(character for character in text.lower() if character not in string.punctuation)
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", kept).split())


def exact_scores(predictions: Sequence[str], answers: Sequence[Sequence[str]]) -> dict[str, float]:
    """Return the same scores with answers as they are written; words are what spaces separate.

    In scripts without spaces each character is a word.

    Deviation: SQuAD's normalisation would take the minus from -3, and all of "?".
    """
    pairs = zip(predictions, answers, strict=True)
    matches = [text.strip() in {answer.strip() for answer in some} for text, some in pairs]
    return {"exact_match": fmean(matches), **_overlap(predictions, answers, _words)}


def numeric_scores(predictions: Sequence[str], answers: Sequence[Sequence[str]]) -> dict[str, float]:
    """Return the same scores with answers as numbers: 3.0, 3 and 6/2 are equal, 3 and -3 are not.

    A number is right or wrong as a whole; what is none counts as written.
    """
    spelled = [[_spelled(text) for text in some] for some in answers]
    return exact_scores([_spelled(text) for text in predictions], spelled)


SCORINGS = {"squad": squad_scores, "exact": exact_scores, "numeric": numeric_scores}
"""By the name in a run's spec and result."""


def choose_scoring(asked: Scoring, dataset: str, answers: Iterable[str]) -> str:
    """Return how answers are compared: as asked, else by the data set, else by what its answers are.

    Args:
        asked: in the spec; 'auto' leaves it to the answers.
        dataset: name of the data set.
        answers: all accepted ones.
    """
    if asked != "auto":
        return asked
    if dataset in ("math", "squad"):
        return "exact" if dataset == "math" else "squad"
    known = list(answers)
    if known and all(number_in(answer) is not None for answer in known):
        return "numeric"
    return "exact" if any(_spoilt_by_squad(answer) for answer in known) else "squad"


def number_in(text: str) -> Fraction | None:
    """Return the number that a text is, or None."""
    text = text.strip().replace("\u2212", "-")
    if fraction := _FRACTION.fullmatch(text):
        return Fraction(int(fraction[1]), int(fraction[2])) if int(fraction[2]) else None
    if not _NUMBER.fullmatch(text) or not re.match(r"[+-]?\.?\d", text):
        return None
    return Fraction(text.replace(",", ""))


def _spoilt_by_squad(answer: str) -> bool:
    """Return whether SQuAD's normalisation takes from an answer what tells it from others."""
    kept = normalise(answer)
    respelled = number_in(answer) is not None and kept != answer.strip()
    return not kept or respelled or bool(_WITHOUT_SPACES.search(answer))


def _spelled(text: str) -> str:
    number = number_in(text)
    return text.strip() if number is None else str(number)


def _words(text: str) -> list[str]:
    return [word for part in text.split() for word in (part if _WITHOUT_SPACES.search(part) else [part])]


def _overlap(
    predictions: Sequence[str], answers: Sequence[Sequence[str]], words: Callable[[str], list[str]]
) -> dict[str, float]:
    best = [
        max(_agreement(words(text), words(answer)) for answer in some)
        for text, some in zip(predictions, answers, strict=True)
    ]
    return {name: fmean(row[i] for row in best) for i, name in enumerate(("f1", "precision", "recall"))}


def _agreement(found: list[str], wanted: list[str]) -> tuple[float, float, float]:
    """Return F1, precision and recall of one prediction against one answer."""
    if not found or not wanted:
        same = float(found == wanted)
        return same, same, same
    n_same = sum((Counter(found) & Counter(wanted)).values())
    if n_same == 0:
        return 0.0, 0.0, 0.0
    precision, recall = n_same / len(found), n_same / len(wanted)
    return 2 * precision * recall / (precision + recall), precision, recall
