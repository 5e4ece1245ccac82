"""Every claim tells all about itself, and the worked example of docs/adding-a-claim.md runs."""

import re
import types
from pathlib import Path

import pytest

from core.studies.arms import arms
from core.studies.claims import CLAIMS
from core.studies.claims.base import DOCUMENT, SEED
from core.studies.claims.docs import claims_page
from core.studies.items import ITEMS
from tests.unit.studies.claims.planted_runs import STUDY, WOBBLE, Planted, RunsBench

DOCS = Path(__file__).resolve().parents[4] / "docs"


def test_all_claims_of_the_paper_are_items():
    assert list(CLAIMS) == list(range(1, 17))
    assert [f"claim-{number}" for number in CLAIMS] == [item for item in ITEMS if item.startswith("claim-")]


@pytest.mark.parametrize("claim", CLAIMS.values(), ids=lambda claim: claim.item)
def test_every_claim_tells_all_about_itself(claim):
    for text in (claim.title, claim.section, claim.statistic, claim.why, claim.null):
        assert text
    assert claim.quote.startswith("“")
    assert claim.quote.endswith("”")
    assert {"olds", "ails", "ndecided"} <= set(re.findall("olds|ails|ndecided", claim.rule))
    assert re.search(r"\d", claim.rule), "bounds in numbers"
    assert claim.unit in (DOCUMENT, SEED)
    assert {*claim.arms, *claim.controls} <= set(arms(STUDY))


def example() -> types.ModuleType:
    page = DOCS / "adding-a-claim.md"
    code = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert len(code) == 1
    module = types.ModuleType("core.studies.claims.collapse")
    exec(compile(code[0], str(page), "exec"), module.__dict__)
    return module


@pytest.mark.parametrize(("near", "verdict"), [(0.6, "holds"), (0.02, "fails"), (0.1, "undecided")])
def test_the_worked_example_judges(store, near, verdict):
    claim = example().CLAIMS[0]
    bench = RunsBench(store, lambda _, seed: Planted(nearest=(0.0, near + float(WOBBLE[seed]))))
    assert claim.reproduced(claim.judge(bench), STUDY).numbers["judgement"]["verdict"] == verdict
    assert "## C17 · Trained vectors do not fall onto tokens" in claims_page({17: claim})
