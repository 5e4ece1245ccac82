"""Everything a job may need, imported in one thread before a worker begins its first job.

Jobs of several lanes are threads of one process. Where two threads import packages whose modules
import each other, as those of scikit-learn and transformers do, Python gives up on one of them with
an `ImportError`.
"""

import importlib
import pkgutil
import threading

import core
from core.engine.tasks import import_extra_tasks

FOR_A_SHELL = ("core.__main__", "core.cli", "core.commands", "core.engine.keys", "core.engine.server")
"""What no job imports."""
OTHERS = (
    "huggingface_hub.hf_api",
    "pandas",
    "pyarrow.parquet",
    "scipy.stats",
    "sklearn.cluster",
    "sklearn.covariance",
    "sklearn.mixture",
    "sklearn.neighbors",
    "tokenizers",
    "torch",
    "tqdm.auto",
    "transformers.models.llama.modeling_llama",
)
"""Modules of other packages that are imported in functions only, and one that shares its parts with
other models'."""
_guard = threading.Lock()


def import_everything() -> None:
    """Import what jobs need. Who calls this meanwhile waits; later calls cost nothing.

    Raises:
        BadRequest: a module named in `PRIORSCOPE_EXTRA_TASKS` cannot be imported.
    """
    with _guard:
        for name in OTHERS:
            importlib.import_module(name)
        for module in pkgutil.walk_packages(core.__path__, "core."):
            if not module.name.startswith(FOR_A_SHELL):
                importlib.import_module(module.name)
        import_extra_tasks()
