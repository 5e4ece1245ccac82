"""The worked example of docs/adding-a-regulariser.md is one file and one field, and shows up wherever weights do."""

import re

import pytest
import torch

from core.specs import TuningSpec
from core.specs.describe import describe
from core.specs.docs import field_table
from core.specs.tuning import weight_field
from tests.documented import DOCS, module_of
from tests.runs import spec_of
from tests.unit.tuning.conftest import run

PAGE = "adding-a-regulariser.md"


@pytest.fixture
def extended(monkeypatch) -> type[TuningSpec]:
    """Return `TuningSpec` with the page's field, whose class stands in the page's file."""
    module_of(PAGE, "core.tuning.regularisers.length", monkeypatch)
    (line,) = re.findall(r"^    length_weight: .*$", (DOCS / PAGE).read_text(encoding="utf-8"), flags=re.MULTILINE)
    known = {"TuningSpec": TuningSpec, "weight_field": weight_field, "__name__": __name__}
    exec(f"class Extended(TuningSpec):\n{line}", known)
    return known["Extended"]


def test_the_form_the_command_line_and_the_documentation_find_its_weight(extended):
    assert list(extended.regularisers())[-1] == "length_weight"
    assert "length_weight" not in TuningSpec.regularisers()
    (field,) = (field for field in describe(extended) if field.name == "length_weight")
    assert (field.title, field.option, field.default, field.maximum) == ("Keep the length", "--length-weight", 0.0, 1e6)
    assert "Weight of the relative change, squared." in field_table([field])


def test_a_run_is_pulled_by_it_and_says_so(extended, store, tiny_folder, sums):
    plain = spec_of(tiny_folder, sums, n_generation=0)
    assert extended.parse(plain.as_json()).canonical_json() == plain.canonical_json()
    spec = extended.parse({**plain.as_json(), "length_weight": 10.0})
    _, result = run(spec, store)
    effect = result["regularisers"]["length"]
    assert effect["weight"] == 10.0
    assert 0 < effect["start"] < 0.1  # vectors of one spread are almost of one length
    assert effect["end"] > effect["start"]


def test_its_penalty_counts_relative_lengths(extended):
    from core.tuning.regularisers.length import Length  # pyright: ignore[reportMissingImports]

    sample = torch.tensor([[[3.0, 4.0], [0.0, 5.0]]])
    assert float(Length(1.0, sample).penalty(2 * sample)) == pytest.approx(1)
