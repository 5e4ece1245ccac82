"""How well generated answers agree with accepted ones."""

import re
import string
from collections import Counter
from collections.abc import Callable, Sequence
from statistics import fmean

from torchmetrics.functional.text import squad


def squad_scores(predictions: Sequence[str], answers: Sequence[Sequence[str]]) -> dict[str, float]:
    """Return exact match, F1, precision and recall, each from 0 to 1, by SQuAD's normalisation.

    Lower case, without punctuation and articles. Of several accepted answers the best one counts; precision and recall
    are those of the answer that gives the best F1.

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
    """Return the same scores for mathematics: the answer counts as written, and words are what spaces separate.

    Deviation: SQuAD's normalisation would take the minus from -3.
    """
    pairs = zip(predictions, answers, strict=True)
    matches = [text.strip() in {answer.strip() for answer in some} for text, some in pairs]
    return {"exact_match": fmean(matches), **_overlap(predictions, answers, str.split)}


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
