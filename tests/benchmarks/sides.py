"""What benchmarks share: sides that take turns on the same work, processes of their own, and where it was measured."""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from core.lm.batch import Batch

ROOT = Path(__file__).resolve().parents[2]
LEARNING_RATE = 1e-3
PEERS = ("torch", "transformers", "peft", "transformer-lens", "nnsight", "openTSNE", "scikit-learn", "umap-learn")
"""What is measured with or against; those that are not installed are left out."""


@dataclass(frozen=True)
class Work:
    """One batch, for all sides: as ours takes it, and as a model of transformers does."""

    ids: Tensor
    labels: Tensor
    batch: Batch


@dataclass(frozen=True)
class Side:
    """One way to do a step.

    Attributes:
        prompt: what is trained, in place.
        loss: from a piece of work, with a gradient to the prompt.
        optimizer: AdamW on the prompt, as all sides have it.
    """

    prompt: Tensor
    loss: Callable[[Any], Tensor]
    optimizer: torch.optim.Optimizer = field(init=False)

    def __post_init__(self) -> None:
        """Make the optimiser."""
        optimizer = torch.optim.AdamW([self.prompt], lr=LEARNING_RATE, weight_decay=0)
        object.__setattr__(self, "optimizer", optimizer)

    def step(self, work: Any) -> float:
        """Do a step and return the loss before it."""
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.loss(work)
        loss.backward()
        self.optimizer.step()
        return float(loss.detach())


@dataclass(frozen=True)
class Times:
    """Seconds and losses of each side, a number a turn."""

    seconds: dict[str, list[float]]
    losses: dict[str, list[float]]

    def apart(self, one: str, other: str) -> float:
        """Return the largest difference of two sides' losses."""
        return max(abs(a - b) for a, b in zip(self.losses[one], self.losses[other], strict=True))


def take_turns(sides: dict[str, Side], work: Sequence[Any], like: Callable[[str], str], label: str) -> Times:
    """Let each side do a step of each piece of work, so that whatever else the machine does falls on all.

    Args:
        sides: by name.
        work: a piece a turn.
        like: name of a side → name of the side whose prompt it begins the next step at. AdamW's first steps turn
            rounding into whole steps, which would drive sides apart.
        label: of the work, for what is told underway.
    """
    times = Times({name: [] for name in sides}, {name: [] for name in sides})
    for turn, piece in enumerate(work):
        for name, side in sides.items():
            began = time.perf_counter()
            times.losses[name].append(side.step(piece))
            times.seconds[name].append(time.perf_counter() - began)
        with torch.no_grad():
            for name, side in sides.items():
                side.prompt.copy_(sides[like(name)].prompt.clone())
        told = ", ".join(f"{name} {seconds[-1]:.2f} s" for name, seconds in times.seconds.items())
        print(f"{label} {turn}: {told}", file=sys.stderr)
    return times


def show(document: dict[str, Any], as_json: bool, lines: Iterable[str]) -> None:
    """Print a benchmark's document, or the lines that tell it to a person."""
    print(json.dumps(document, indent=1) if as_json else "\n".join(lines))


def installed(package: str) -> str | None:
    """Return the version of a package, or None where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def largest_memory() -> int:
    """Return the most bytes that this process has had in memory."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def in_process(module: str, arguments: Sequence[str], more: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Run a module in a process of its own, with more environment variables, and return the JSON it prints last."""
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | dict(more or {}), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def machine() -> dict[str, Any]:
    """Return where and with what something is measured, and how much else the machine does."""
    return {
        "machine": platform.machine(),
        "cpus": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "capability": torch.backends.cpu.get_cpu_capability(),
        "python": platform.python_version(),
        "load_average": os.getloadavg()[0],
        "packages": {name: found for name in PEERS if (found := installed(name))},
        "not_installed": [name for name in PEERS if not installed(name)],
    }


def measured_on(model: str, device: str, repeats: int, warm_up: int) -> dict[str, Any]:
    """Return the same, with what was measured how often."""
    return {"model": model, "repeats": repeats, "warm_up": warm_up, "device": device, **machine()}


def tell(document: dict[str, Any], as_json: bool, line: str) -> None:
    """Print a benchmark's document, or a line per case, which is a format of the case's values."""
    if as_json:
        print(json.dumps(document, indent=1))
        return
    for case in document["cases"]:
        print(line.format(**case))


def parser(description: str | None, model: bool = False) -> argparse.ArgumentParser:
    """Return the options that these benchmarks share, also the one for a model."""
    options = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--json", action="store_true", help="print one JSON document on stdout")
    if model:
        options.add_argument("--model", default="smollm2-135m", help="name, Hugging Face id or local folder")
    options.add_argument("--repeats", type=int, default=5, help="timed steps a side")
    options.add_argument("--warm-up", type=int, default=1, help="steps before timing")
    return options
