"""Every benchmark at stated sizes, the most important first, each in a process of its own.

    python -m tests.benchmarks.run_all --json > benchmarks.json
    python -m tests.benchmarks.run_all --write docs

`--write FOLDER` also writes the document as performance.json and makes performance.md of it there. A benchmark that is
named by `--only` replaces its own part of a document that is there. Peers that are not installed are left out and named
(`pip install -e ".[bench]"` installs them). About an hour on two cores; `--small` takes a few minutes,
and `--slow` adds what takes longer, t-SNE and UMAP of 100,000 points.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.benchmarks.page import write
from tests.benchmarks.sides import ROOT, machine

JSON, PAGE = "performance.json", "performance.md"


@dataclass(frozen=True)
class Benchmark:
    """A script and its sizes.

    Attributes:
        name: of its module.
        options: for figures that stand on the page.
        small: for a short run.
        slow: more options for a run that may take an hour.
        limit: seconds after which it is given up; six times as many where it may be slow.
    """

    name: str
    options: tuple[str, ...] = ()
    small: tuple[str, ...] = ()
    slow: tuple[str, ...] = ()
    limit: int = 600


BENCHMARKS = (
    Benchmark("tuning_vs_peft", ("--repeats", "3"), ("--tiny", "--repeats", "1")),
    Benchmark("capture_vs_peers", (), ("--documents", "100", "200")),
    Benchmark("large_model", (), ("--tiny",)),
    Benchmark("deep_cached_trunk", ("--sums-only", "--repeats", "2"), ("--sums-only", "--repeats", "1")),
    Benchmark("growth", ("--repeats", "2"), ("--repeats", "1", "--sizes", "2")),
    Benchmark("generation_vs_generate", ("--repeats", "2"), ("--tiny", "--repeats", "1")),
    Benchmark("maps_vs_peers", (), ("--points", "1000", "--repeats", "1"), ("--slow",)),
    Benchmark("capture_memory", ("--tokens", "500000"), ("--tokens", "50000")),
    Benchmark("page_times", ("--repeats", "1"), ("--vocabulary", "2000", "--repeats", "1", "--reruns", "1")),
    Benchmark("server_memory", (), ("--vocabulary", "2000", "--reruns", "20", "--sessions", "2"), limit=1500),
    Benchmark("click_to_step", (), ("--vocabulary", "2000", "--repeats", "1")),
    Benchmark("start_up", (), ("--repeats", "1")),
    Benchmark("idle", (), ("--seconds", "5", "--without-browser")),
    Benchmark("worker_memory", (), ("--jobs", "20"), limit=1800),
    Benchmark("cluster", (), ("--seeds", "2", "--steps", "20")),
)


def run(benchmark: Benchmark, small: bool = False, slow: bool = False) -> dict[str, Any]:
    """Run a benchmark and return its document, or why there is none, with command, commit, seconds and first load."""
    sizes = benchmark.small if small else benchmark.options + benchmark.slow * slow
    limit = benchmark.limit * (6 if slow else 1)
    options = ["-m", f"tests.benchmarks.{benchmark.name}", "--json", *sizes]
    command = " ".join(["python", *options])
    found: dict[str, Any] = {"command": command, "commit": _commit(), "load_average": os.getloadavg()[0]}
    began = time.perf_counter()
    try:
        done = subprocess.run(
            [sys.executable, *options], cwd=ROOT, capture_output=True, text=True, check=False, timeout=limit
        )
    except subprocess.TimeoutExpired:
        return found | {"seconds": time.perf_counter() - began, "error": f"given up after {limit} s"}
    found["seconds"] = time.perf_counter() - began
    if done.returncode:
        return found | {"error": (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]}
    return found | {"document": json.loads(done.stdout)}


def run_all(
    names: Sequence[str], small: bool, slow: bool = False, before: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Run the named benchmarks and return the document of all; the others are those of an earlier document."""
    found = dict(before["benchmarks"]) if before else {}
    for benchmark in BENCHMARKS:
        if benchmark.name not in names:
            continue
        found[benchmark.name] = run(benchmark, small, slow)
        told = found[benchmark.name].get("error", "done")
        print(f"{benchmark.name}: {told}, {found[benchmark.name]['seconds']:.0f} s", file=sys.stderr, flush=True)
    ordered = {one.name: found[one.name] for one in BENCHMARKS if one.name in found}
    return {"small": small, "measured_on": machine(), "benchmarks": ordered}


def _commit() -> str:
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or "unknown"


def main() -> None:
    """Run, write and print; exit with 1 where a benchmark failed."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--json", action="store_true", help="print one JSON document on stdout")
    options.add_argument("--small", action="store_true", help="sizes that only show that everything works")
    options.add_argument("--slow", action="store_true", help="what takes up to an hour, too")
    names = [one.name for one in BENCHMARKS]
    options.add_argument("--only", nargs="+", choices=names, default=names, metavar="NAME", help=", ".join(names))
    options.add_argument("--write", type=Path, metavar="FOLDER", help=f"write {JSON} and {PAGE} into a folder")
    asked = options.parse_args()
    kept = asked.write / JSON if asked.write else None
    before = json.loads(kept.read_text()) if kept and kept.exists() and asked.only != names else None
    document = run_all(asked.only, asked.small, asked.slow, before)
    if asked.write and kept:
        kept.write_text(json.dumps(document, indent=1) + "\n")
        (asked.write / PAGE).write_text(write(document))
    if asked.json:
        print(json.dumps(document, indent=1))
    sys.exit(any("error" in one for one in document["benchmarks"].values()))


if __name__ == "__main__":
    main()
