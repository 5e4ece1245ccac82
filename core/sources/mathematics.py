"""DeepMind's mathematics questions, generated here and kept."""

import json
import os
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from core.errors import BadData, Failed, UnknownName
from core.progress import Progress, silent
from core.sources.process import last_line, run_watched
from core.sources.records import Availability, Found, Record
from core.specs.dataset import DEFAULT_DIFFICULTY, DEFAULT_MODULE, DatasetSpec
from core.store.artifacts import Store

TITLE = "DeepMind Mathematics (generated)"
PACKAGE = "mathematics_dataset"
_AREAS = {
    "algebra": "linear_1d linear_1d_composed linear_2d linear_2d_composed polynomial_roots polynomial_roots_composed "
    "sequence_next_term sequence_nth_term",
    "arithmetic": "add_or_sub add_or_sub_in_base add_sub_multiple div mixed mul mul_div_multiple "
    "nearest_integer_root simplify_surd",
    "calculus": "differentiate differentiate_composed",
    "comparison": "closest closest_composed kth_biggest kth_biggest_composed pair pair_composed sort sort_composed",
    "measurement": "conversion time",
    "numbers": "base_conversion div_remainder div_remainder_composed gcd gcd_composed is_factor is_factor_composed "
    "is_prime is_prime_composed lcm lcm_composed list_prime_factors list_prime_factors_composed place_value "
    "place_value_composed round_number round_number_composed",
    "polynomials": "add coefficient_named collect compose evaluate evaluate_composed expand simplify_power",
    "probability": "swr_p_level_set swr_p_sequence",
}
MODULES = tuple(f"{area}__{name}" for area, names in _AREAS.items() for name in names.split())
"""All modules; a test holds the list against the package."""


def availability(_: Store, __: str) -> Availability:
    """Return where the questions come from."""
    return Availability("generator", f"{len(MODULES)} modules, generated here")


def check_module(name: str) -> None:
    """Check a module's name.

    Raises:
        UnknownName: with the list and the closest one.
    """
    if name not in MODULES:
        raise UnknownName("module", name, MODULES)


def find(spec: DatasetSpec, _: Store, progress: Progress = silent) -> Found:
    """Return generated questions, all different, as many as asked for or as there are.

    Raises:
        UnknownName: no such module.
        BadData: a module that has fewer than two different questions.
        Failed: the generator stopped.
        Cancelled: by the progress; the generator is ended first.
    """
    module, difficulty = spec.module or DEFAULT_MODULE, spec.difficulty or DEFAULT_DIFFICULTY
    check_module(module)
    pairs = _generate(module, difficulty, spec.samples, spec.seed, progress)
    if len(pairs) < 2:
        raise BadData(
            f"Module {module!r} at {difficulty!r} has only {len(pairs)} different questions; choose another difficulty."
        )
    notes = []
    if len(pairs) < spec.samples:
        notes.append(f"{spec.samples} questions were asked for; {module} at {difficulty} has only {len(pairs)}.")
    records = [
        Record.question(f"{module}-{i}", question, f"Question: {question}\nAnswer:", [answer])
        for i, (question, answer) in enumerate(pairs)
    ]
    provenance = {
        "source": "generator",
        "package": PACKAGE,
        "version": version(PACKAGE),
        "module": module,
        "difficulty": difficulty,
        "seed": spec.seed,
        "licence": "Apache-2.0",
    }
    return Found(records, is_task=True, provenance=provenance, notes=notes, drawn=True)


def _generate(module: str, difficulty: str, n_samples: int, seed: int, progress: Progress) -> list[list[str]]:
    worker = [sys.executable, "-m", "core.sources.mathematics_worker", module, difficulty, str(n_samples), str(seed)]
    root = str(Path(__file__).resolve().parents[2])
    paths = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
    # Without a fixed hash seed the order of the generator's sets, and with it the questions, change
    # every time.
    environment = os.environ | {"PYTHONHASHSEED": "0", "PYTHONPATH": paths}
    with tempfile.TemporaryDirectory() as scratch:
        output, errors = Path(scratch, "output"), Path(scratch, "errors")

        def tick() -> None:
            progress(output.read_bytes().count(b"\n"), n_samples, f"generating {module}")

        code = run_watched(worker, environment, output, errors, tick)
        if code != 0:
            raise Failed(
                f"The generator of {module!r} at {difficulty!r} with seed {seed} stopped with code {code} "
                f"({last_line(errors) or 'no reason given'}); try another seed, or another module."
            )
        return [json.loads(line) for line in output.read_bytes().splitlines()]
