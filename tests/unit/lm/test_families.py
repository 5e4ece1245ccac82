"""The table of model families in docs/models.md: each is captured, tuned and asked to go on, with random weights.

`python -m tests.unit.lm.test_families` writes it again.
"""

import json
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.activations.annotate import annotate
from core.activations.capture import capture
from core.errors import PriorscopeError
from core.lm.load import forget_models, load_model
from core.specs import CloudSpec, DatasetSpec, ModelSpec, TuningSpec, parse_prior
from core.store import Store, create_job
from core.tuning.run import tune
from tests.unit.lm.families import FAMILIES, write_family

PAGE = Path(__file__).resolve().parents[3] / "docs" / "models.md"
BEGIN, END = "<!-- families -->\n", "<!-- end of families -->\n"
COLUMNS = ("family", "capture", "predictions", "soft", "deep", "generation", "why not")
QUIET = ("ignore::UserWarning", "ignore::FutureWarning", "ignore::DeprecationWarning")


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.filterwarnings(*QUIET)
def test_the_table_of_families_is_what_they_do(tmp_path: Path):
    assert len(FAMILIES) >= 30
    shown = PAGE.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]
    assert shown.splitlines() == list(table(tmp_path)), "write it again: python -m tests.unit.lm.test_families"


def table(folder: Path) -> Iterator[str]:
    """Yield the lines of the table."""
    yield "| " + " | ".join(COLUMNS) + " |"
    yield "|" + "---|" * len(COLUMNS)
    for name in FAMILIES:
        yield "| " + " | ".join(_row(name, folder / name.replace(" ", "-"))) + " |"


def _row(name: str, folder: Path) -> list[str]:
    forget_models()
    store, model = Store(folder / "cache"), ModelSpec(name=str(write_family(folder / "model", name)), dtype="float32")
    questions = folder / "questions.jsonl"
    rows = [{"q": f"{i}: a dog and", "a": ["red", "big"][i % 2]} for i in range(12)]
    questions.write_text("".join(json.dumps(row) + "\n" for row in rows))
    data = DatasetSpec(name="file", path=str(questions), prompt_column="q", answer_column="a")
    cloud = CloudSpec(model=model, dataset=data, rows=50)
    soft = TuningSpec(
        model=model,
        dataset=data,
        prior=parse_prior("gaussian"),
        n_prompt=4,
        steps=2,
        batch_size=4,
        n_validation=2,
        n_generation=2,
        max_new_tokens=4,
    )
    deep = soft.model_copy(update={"method": "deep", "prompt_sites": (0, -1)})
    attempts: dict[str, Callable[[], object]] = {
        "capture": lambda: capture(cloud, store),
        "predictions": lambda: annotate(cloud, store),
        "soft": lambda: tune(soft, create_job(store, "tune", soft.as_json(), "t-soft"), store),
        "deep": lambda: tune(deep, create_job(store, "tune", deep.as_json(), "t-deep"), store),
    }
    found, reasons = [name], []
    for attempt in attempts.values():
        try:
            attempt()
        except PriorscopeError as error:
            found.append("–")
            reasons.append(_reason(str(error), model.name))
        else:
            found.append("yes")
    can = found[attempts.__len__() - 1] == "yes"
    found.append(("own cache" if load_model(model, store).abilities.cache else "reads again") if can else "–")
    return [*found, "; ".join(dict.fromkeys(reasons))]


def _reason(text: str, folder: str) -> str:
    """Return the reason of a refusal without its remedy and without the folder."""
    for begin, end in (("tuned or asked to continue a text: ", ";"), ("): ", ";"), ("' is ", ", which")):
        if begin in text and end in text.partition(begin)[2]:
            return text.partition(begin)[2].partition(end)[0].partition(" (It seems")[0]
    return "blocks not mapped" if "are not mapped for" in text else text.replace(folder, "…").partition(";")[0]


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    with tempfile.TemporaryDirectory() as scratch:
        lines = []
        for line in table(Path(scratch)):
            sys.stderr.write(f"{line}\n")
            lines.append(f"{line}\n")
    PAGE.write_text(before + BEGIN + "".join(lines) + END + rest.partition(END)[2], encoding="utf-8")
