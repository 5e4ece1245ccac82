"""What a worker imports before its first job."""

import ast
import subprocess
import sys
from pathlib import Path

import core
from core.engine.imports import FOR_A_SHELL

ROOT = Path(core.__file__).parent
ELSEWHERE = {"core.exchange.tensorboard_log", "core.sources.c4"}
"""Modules whose late imports are of packages that need not be installed, or that the shell alone uses."""


def late_imports() -> dict[str, set[str]]:
    """Return by module the import statements that the program has inside functions."""
    found = {}
    for path in sorted(ROOT.rglob("*.py")):
        module = ".".join(path.relative_to(ROOT.parent).with_suffix("").parts)
        if not module.startswith(FOR_A_SHELL) and module not in ELSEWHERE:
            tree = ast.parse(path.read_text(encoding="utf-8"))
            functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
            inside = [node for function in functions for node in ast.walk(function)]
            found[module] = {ast.unparse(node) for node in inside if isinstance(node, ast.Import | ast.ImportFrom)}
    return found


def test_a_worker_has_imported_all_that_jobs_import_late() -> None:
    late = late_imports()
    assert "from core.lm.load import load_reader" in late["core.jobs.model"]
    wanted = set().union(*late.values())
    code = (
        "import sys\n"
        "from core.engine.imports import import_everything\n"
        "import_everything()\n"
        "before = set(sys.modules)\n"
        f"for statement in {sorted(wanted)!r}:\n"
        "    exec(statement)\n"
        "print(sorted(set(sys.modules) - before))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.strip() == "[]"
