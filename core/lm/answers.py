"""What the tests at loading found out about a model, and whether it can be used at all."""

from dataclasses import asdict, dataclass
from typing import Literal

from core.errors import BadRequest
from core.lm.frozen import Abilities, FrozenModel
from core.specs.base import JsonObject

Stops = Literal["nothing", "prompts", "everything"]


@dataclass(frozen=True)
class Answer:
    """What was found out by one question.

    Attributes:
        question: in a few words.
        answer: in words.
        stops: what cannot be done with such a model.
    """

    question: str
    answer: str
    stops: Stops = "nothing"


@dataclass(frozen=True)
class Answers:
    """What is known of a model after its tests.

    Attributes:
        answers: in the order of the questions.
        abilities: what follows for the forwards.
        d_model: width of the residual stream.
    """

    answers: tuple[Answer, ...]
    abilities: Abilities
    d_model: int

    @property
    def obstacle(self) -> str:
        """Return why the model cannot be used at all; empty if it can."""
        return next((answer.answer for answer in self.answers if answer.stops == "everything"), "")

    def document(self) -> JsonObject:
        """Return all as JSON."""
        return asdict(self)

    @classmethod
    def of_document(cls, kept: JsonObject) -> "Answers":
        """Return what `document` wrote."""
        answers = tuple(Answer(**answer) for answer in kept["answers"])
        return cls(answers, Abilities(**kept["abilities"]), kept["d_model"])


def require_usable(name: str, frozen: FrozenModel, found: Answers) -> None:
    """Check that a model can be used at all.

    Raises:
        BadRequest: with what it answered.
    """
    if found.obstacle:
        raise BadRequest(f"{name!r} ({type(frozen.model).__name__}): {found.obstacle}.")
