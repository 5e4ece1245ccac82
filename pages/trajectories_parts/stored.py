"""What in the store the Trajectories page can show: texts read, and captures to draw them on."""

from typing import Any

from core.engine.lookup import succeeded_specs
from core.specs import ModelSpec, TrajectorySpec
from core.store import Store
from pages.widgets.stored import Stored, capture_words, cloud_values, stored_captures

_LONGEST = 50
"""Characters of a text in the list."""


def stored_trajectories(model: ModelSpec, store: Store) -> list[Stored]:
    """Return texts and answers of a model, then its activations, newest first."""
    asked = succeeded_specs("trajectory", TrajectorySpec, store)
    texts = [_texts(one) for one in dict.fromkeys(asked) if one.model == model and one.texts]
    grounds = [
        Stored(f"Activations · {capture_words([one])}", {**cloud_values([one]), "ground": "data"})
        for one in stored_captures(model, store)
        if one.pooling == "token"
    ]
    return [*texts, *grounds]


def _texts(spec: TrajectorySpec) -> Stored:
    whole = " / ".join(" ".join(text.split()) for text in spec.texts)
    short = whole if len(whole) <= _LONGEST else f"{whole[: _LONGEST - 1]}…"
    values: dict[str, Any] = {"mode": spec.mode, "source": "typed"}
    if spec.mode == "read":
        return Stored(f"Sentences · {short}", {**values, "text": "\n".join(spec.texts)})
    after = f" · after {spec.run}" if spec.run else ""
    answer = {"question": spec.texts[0], "max_new_tokens": spec.max_new_tokens, "run": spec.run or ""}
    return Stored(f"Answer · {short}{after}", {**values, **answer})
