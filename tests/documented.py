"""The worked examples of the documentation, as the files they speak of."""

import re
import sys
import types
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[1] / "docs"


def listed(
    page: str, table: dict[str, str], name: str, listing: str, monkeypatch: pytest.MonkeyPatch
) -> types.ModuleType:
    """Return a page's file, listed in a table by the line that the page gives."""
    assert f'    "{name}": "{listing}",' in (DOCS / page).read_text(encoding="utf-8")
    monkeypatch.setitem(table, name, listing)
    return module_of(page, listing.partition(":")[0], monkeypatch)


def module_of(page: str, name: str, monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """Return the one Python block of a page, imported under a name for as long as the test runs."""
    (code,) = re.findall(r"```python\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), flags=re.DOTALL)
    module = types.ModuleType(name)
    monkeypatch.setitem(sys.modules, name, module)
    exec(compile(code, page, "exec"), module.__dict__)
    return module
