"""DeepMind's generator in its own process; arguments: MODULE DIFFICULTY N SEED.

The generator draws from Python's, NumPy's and SymPy's global random state and needs some of its
parts replaced, none of which belongs in the program itself. Prints one JSON list [question, answer]
a line, as they come; without arguments the names of all modules.
"""

import importlib
import itertools
import json
import random
import sys
import types
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

MAX_QUESTION = 160
MAX_ANSWER = 30
"""Characters that the released data set kept at most."""
PATIENCE = 2000
"""Questions in a row that bring nothing new before a module counts as exhausted."""
LEVELS = ("train-easy", "train-medium", "train-hard")


class _Array(np.ndarray):
    """An array with the method that the generator calls and NumPy 2 removed."""

    def itemset(self, *arguments: Any) -> None:
        *index, value = arguments
        self[tuple(index[0]) if isinstance(index[0], tuple) else index[0]] = value


def _old_numpy() -> types.ModuleType:
    """Return a module that answers like NumPy 1 as far as the generator asks."""
    module = types.ModuleType("numpy")
    module.__dict__.update({name: getattr(np, name) for name in dir(np) if not name.startswith("__")})
    module.__dict__["object"] = object
    module.__dict__["zeros"] = lambda *args, **kwargs: np.zeros(*args, **kwargs).view(_Array)
    module.__dict__["empty"] = lambda *args, **kwargs: np.empty(*args, **kwargs).view(_Array)
    return module


_order = itertools.count()


def _in_order(entity: Any) -> int:
    """Return a hash by first use; by address, the order of the generator's sets would vary."""
    if "_order" not in vars(entity):
        entity._order = next(_order)
    return entity._order


def _load() -> types.ModuleType:
    """Import the generator with what has moved or gone since it was written put in place."""
    package = importlib.import_module("sympy.solvers.diophantine")
    moved = importlib.import_module("sympy.solvers.diophantine.diophantine")
    package.__dict__["base_solution_linear"] = moved.base_solution_linear
    polynomials = importlib.import_module("mathematics_dataset.sample.polynomials")
    polynomials.__dict__["np"] = _old_numpy()
    composition = importlib.import_module("mathematics_dataset.util.composition")
    composition.Entity.__hash__ = _in_order
    return importlib.import_module("mathematics_dataset.modules.modules")


def _narrow(level: int) -> Callable[[tuple[float, float]], tuple[float, float]]:
    """Return the function that cuts an entropy range to its first, second or last third."""

    def cut(bounds: tuple[float, float]) -> tuple[float, float]:
        low, third = bounds[0], (bounds[1] - bounds[0]) / len(LEVELS)
        return low + level * third, low + (level + 1) * third

    return cut


def _flat(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Callable[[], Any]]]:
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}__")
        else:
            yield prefix + name, value


def generate(module: str, difficulty: str, n_samples: int, seed: int) -> Iterator[tuple[str, str]]:
    """Yield different questions with their answers until there are enough or nothing new comes."""
    sample = dict(_flat(_load().train(_narrow(LEVELS.index(difficulty)))))[module]
    random.seed(seed)
    np.random.seed(seed)
    importlib.import_module("sympy.core.random").seed(seed)
    seen: set[str] = set()
    misses = 0
    while len(seen) < n_samples and misses < PATIENCE:
        problem = sample()
        question, answer = str(problem.question), str(problem.answer)
        misses += 1
        if len(question) > MAX_QUESTION or len(answer) > MAX_ANSWER or question in seen:
            continue
        seen.add(question)
        misses = 0
        yield question, answer


def main(arguments: list[str]) -> None:
    """Print the requested questions, one JSON value per line."""
    if not arguments:
        sys.stdout.writelines(json.dumps(name) + "\n" for name, _ in _flat(_load().train(_narrow(0))))
        return
    module, difficulty, n_samples, seed = arguments
    for pair in generate(module, difficulty, int(n_samples), int(seed)):
        sys.stdout.write(json.dumps(pair, ensure_ascii=True) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
