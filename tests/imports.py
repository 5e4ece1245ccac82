"""What a module imports, seen in a fresh process."""

import subprocess
import sys


def imported_by(*modules: str) -> set[str]:
    """Return the names of all modules that a process holds once it has imported some."""
    code = f"import sys, {', '.join(modules)}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())
