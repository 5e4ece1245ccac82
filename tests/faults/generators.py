"""The kinds of hostile input. A new kind is a file with a function `cases`, and a line here.

`cases(rng, folder)` yields (name, attempt) without end: `attempt()` gives the program one input, from an empty folder
of the kind's own, and may raise a `PriorscopeError`, which must fit on a screen, but nothing else. What it returns, if
not None, is what is wrong all the same.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """A kind of hostile input.

    Attributes:
        module: with the function `cases`.
        full: how many a full run tries.
    """

    module: str
    full: int


KINDS = {
    "bundles": Kind("tests.faults.fuzz_bundles", 300),
    "adapters": Kind("tests.faults.fuzz_adapters", 150),
    "job folders": Kind("tests.faults.fuzz_job_folders", 150),
    "specs": Kind("tests.faults.fuzz_specs", 300),
    "sweeps": Kind("tests.faults.fuzz_sweeps", 150),
    "arguments": Kind("tests.faults.fuzz_arguments", 150),
    "data": Kind("tests.faults.fuzz_data", 200),
    "models": Kind("tests.faults.fuzz_models", 60),
    "addresses": Kind("tests.faults.fuzz_addresses", 40),
}
