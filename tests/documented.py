"""The worked examples of the documentation, as the files they speak of."""

import re
import sys
import types
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[1] / "docs"


def module_of(page: str, name: str, monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """Return the one Python block of a page, imported under a name for as long as the test runs."""
    (code,) = re.findall(r"```python\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), flags=re.DOTALL)
    module = types.ModuleType(name)
    monkeypatch.setitem(sys.modules, name, module)
    exec(compile(code, page, "exec"), module.__dict__)
    return module
