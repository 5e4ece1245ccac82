"""Every claim tells all about itself, and the worked example of docs/adding-a-claim.md runs."""

import re
import types
from pathlib import Path

import numpy as np
import pytest

from core.studies.arms import arms
from core.studies.claims import CLAIMS
from core.studies.claims.base import DOCUMENT, SEED
from core.studies.claims.docs import claims_page
from core.studies.items import ITEMS
from tests.unit.studies.claims.planted import STUDY, WOBBLE, PlantedBench, runs_with

DOCS = Path(__file__).resolve().parents[4] / "docs"


def test_all_claims_of_the_paper_are_items():
    assert list(CLAIMS) == list(range(1, 14))
    assert [f"claim-{number}" for number in CLAIMS] == [item for item in ITEMS if item.startswith("claim-")]


@pytest.mark.parametrize("claim", CLAIMS.values(), ids=lambda claim: claim.item)
def test_every_claim_tells_all_about_itself(claim):
    for text in (claim.title, claim.section, claim.statistic, claim.why, claim.null):
        assert text
    assert claim.quote.startswith("“")
    assert claim.quote.endswith("”")
    assert {"Holds", "ails", "ndecided"} <= set(re.findall("Holds|ails|ndecided", claim.rule))
    assert re.search(r"\d", claim.rule), "bounds in numbers"
    assert claim.unit in (DOCUMENT, SEED)
    assert set(claim.arms) <= set(arms(STUDY))


def example() -> types.ModuleType:
    page = DOCS / "adding-a-claim.md"
    code = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert len(code) == 1
    module = types.ModuleType("core.studies.claims.collapse")
    exec(compile(code[0], str(page), "exec"), module.__dict__)
    return module


@pytest.mark.parametrize(("near", "verdict"), [(0.6, "holds"), (0.02, "fails"), (0.1, "undecided")])
def test_the_worked_example_judges(near, verdict):
    claim = example().CLAIMS[0]
    measured = [{"sites": [{"collapse": {"cosine": {"value": near + float(w)}}}]} for w in np.asarray(WOBBLE)]
    bench = PlantedBench(runs_with({"isotropic": 1.0}), {"isotropic": measured})
    made = claim.make(bench)
    assert made.numbers["judgement"]["verdict"] == verdict
    assert "## C14 · Trained vectors do not fall onto tokens" in claims_page({14: claim})
