"""How long the command line takes to its first output, for verbs that only read, and what their imports take.

Each verb runs in a process of its own, several times; medians of seconds to the first byte of output and of processor
seconds to the end. `imports` are the packages that `-X importtime` finds most time in, of one more run.

    python -m tests.benchmarks.start_up --json
"""

import argparse
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from statistics import median
from typing import Any

from tests.benchmarks.sides import tell
from tests.served import ROOT

VERBS = ("--help", "runs list", "priors", "cache list", "maps list", "tune --help", "doctor")
TIMES = ("first_output_seconds", "processor_seconds")


def command(verb: str, *options: str) -> list[str]:
    """Return how a verb is called."""
    return [sys.executable, *options, "-m", "core", *verb.split()]


def call(verb: str, environment: dict[str, str]) -> tuple[float, float]:
    """Return seconds to the first output, and processor seconds to the end."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    with subprocess.Popen(command(verb), cwd=ROOT, env=environment, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.read(1)
        first = time.perf_counter() - began
        process.stdout.read()
    if process.returncode:
        raise SystemExit(f"{verb} ended with {process.returncode}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return first, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def imports(verb: str, environment: dict[str, str]) -> dict[str, int]:
    """Return the milliseconds of the five packages whose modules take longest to import."""
    done = subprocess.run(command(verb, "-X", "importtime"), cwd=ROOT, env=environment, capture_output=True, text=True)
    spent = Counter[str]()
    for line in done.stderr.splitlines():
        own, _, module = line.removeprefix("import time:").split("|") if line.count("|") == 2 else ("", "", "")
        if own.strip().isdecimal():
            spent[module.strip().partition(".")[0]] += int(own)
    return {name: round(microseconds / 1000) for name, microseconds in spent.most_common(5)}


def measure(repeats: int) -> dict[str, Any]:
    """Return the benchmark's document."""
    cases = []
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "PRIORSCOPE_CACHE": cache}
        for verb in VERBS:
            call(verb, environment)
            firsts, processor = zip(*(call(verb, environment) for _ in range(repeats)), strict=True)
            told = dict(zip(TIMES, (median(firsts), median(processor)), strict=True))
            cases.append({"verb": verb, **told, "imports": imports(verb, environment)})
    return {
        "cases": cases,
        "measured_on": {"machine": platform.machine(), "cpus": os.cpu_count(), "load": os.getloadavg()[0]},
    }


def main() -> None:
    """Print the document, or a line per verb."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--json", action="store_true", help="print one JSON document on stdout")
    options.add_argument("--repeats", type=int, default=5, help="timed calls per verb")
    asked = options.parse_args()
    line = (
        "{verb}: first output after {first_output_seconds:.2f} s, {processor_seconds:.2f} s of processor; "
        "imports (ms): {imports}"
    )
    tell(measure(asked.repeats), asked.json, line)


if __name__ == "__main__":
    main()
