from pathlib import Path

import pytest

from core.priors.docs import prior_help, prior_page
from core.specs.describe import describe
from core.specs.prior import prior_kinds

DOCS = Path(__file__).resolve().parents[3] / "docs"


def test_page_is_what_the_specs_say():
    assert (DOCS / "priors.md").read_text(encoding="utf-8") == prior_page(), "write docs/priors.md again (see its top)"


def test_simplest_kinds_come_first():
    assert list(prior_kinds())[:4] == ["isotropic", "xavier", "gaussian", "exclusion"]


@pytest.mark.parametrize("kind", list(prior_kinds()))
def test_every_kind_explains_itself(kind: str):
    spec = prior_kinds()[kind]
    assert spec.title
    assert spec.summary
    for field in describe(spec):
        assert field.help, f"{kind}.{field.name} has no description"
        assert field.kind not in ("integer", "number") or field.minimum is not None, f"{field.name} has no range"


@pytest.mark.parametrize("kind", list(prior_kinds()))
def test_help_and_page_name_every_parameter(kind: str):
    for field in describe(prior_kinds()[kind]):
        assert f"    {field.name} (" in prior_help()
        assert f"| `{field.name}` | {field.title} |" in prior_page()
