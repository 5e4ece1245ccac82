"""The document of `run_all` as a page: goals, then a table for each benchmark. No figure is typed by hand."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Row = Mapping[str, Any]
Columns = Mapping[str, tuple[str, str]]
"""Key of a case → heading and format."""
ABSENT = "–"
MIB = "MiB"
"""A format of ours: bytes as mebibytes."""


@dataclass(frozen=True)
class Section:
    """How a benchmark is shown.

    Attributes:
        title: of the section.
        words: what is compared.
        columns: of the table of cases.
        further: name of another list in the document, with its columns.
    """

    title: str
    words: str
    columns: Columns
    further: tuple[str, Columns] | None = None


@dataclass(frozen=True)
class Goal:
    """What was set as a goal.

    Attributes:
        words: of it.
        benchmark: that measures it.
        measured: from the benchmark's cases, or None where they do not say.
        bound: of the measured value.
        least: whether the bound is the least value that meets the goal, or the most.
    """

    words: str
    benchmark: str
    measured: Callable[[Sequence[Row]], float | None]
    bound: float
    least: bool = True


def _least(key: str, side: str) -> Callable[[Sequence[Row]], float | None]:
    return lambda cases: min((case[key] for case in cases if case["side"] == side), default=None)


def _most(key: str, side: str) -> Callable[[Sequence[Row]], float | None]:
    return lambda cases: max((case[key] for case in cases if case["side"] == side), default=None)


def _fastest_peer(cases: Sequence[Row]) -> float | None:
    return min((case["our_ratio"] for case in cases if not case["side"].startswith("ours")), default=None)


def _capture_growth(cases: Sequence[Row]) -> float | None:
    own = [case["memory"] for case in cases if case["side"] == "ours"]
    return own[-1] / own[0] if own else None


GOALS = (
    Goal("a soft step, times PEFT's default", "tuning_vs_peft", _least("ratio_to_peft", "ours"), 3),
    Goal(
        "a soft step in float32, times PEFT's default", "tuning_vs_peft", _least("ratio_to_peft", "ours, float32"), 1.8
    ),
    Goal("a soft step, times PEFT in bfloat16", "tuning_vs_peft", _least("ratio_to_peft_bfloat16", "ours"), 1.8),
    Goal("memory of weights and a step, of PEFT's", "tuning_vs_peft", _most("memory_to_peft", "ours"), 0.5, False),
    Goal("capture, times the fastest peer", "capture_vs_peers", _fastest_peer, 1.3),
    Goal("memory of ten times the documents, of one", "capture_vs_peers", _capture_growth, 1.1, False),
)
_TIMES = {"seconds": ("s", ".2f")}
_CASES: Columns = {"batch": ("batch", "d"), "tokens": ("tokens", "d")}
SECTIONS = {
    "tuning_vs_peft": Section(
        "A soft step",
        "Soft prompt-tuning of a model of SmolLM2-135M's shape against PEFT. *Of the bound* is the share of the time "
        "that the step's operations would take at the rate of one large product in the same number format.",
        {
            "side": ("side", "s"),
            **_CASES,
            **_TIMES,
            "ratio_to_peft": ("× PEFT", ".2f"),
            "ratio_to_peft_bfloat16": ("× PEFT bfloat16", ".2f"),
            "weight_bytes": ("weights", MIB),
            "step_bytes": ("step", MIB),
            "share_of_bound": ("of the bound", ".0%"),
            **{f"share_{part}": (part, ".0%") for part in ("attention", "MLP", "norms", "head", "optimiser", "other")},
        },
    ),
    "deep_cached_trunk": Section(
        "A deep step",
        "Prompts cut from the last three blocks of SmolLM2-135M, with the frozen trunk kept and run at each step, "
        "against PEFT's prefix-tuning.",
        {
            "name": ("data, number format", "s"),
            "cached_seconds": ("trunk kept, s", ".2f"),
            "uncached_seconds": ("trunk run, s", ".2f"),
            "peft_seconds": ("PEFT, s", ".2f"),
            "ratio_to_peft": ("× PEFT", ".2f"),
            "ratio_to_peft_bfloat16": ("× PEFT bfloat16", ".2f"),
        },
    ),
    "capture_vs_peers": Section(
        "Capture",
        "Exact moments and a sample of rows at every site of a small Llama, each side in a process of its own. "
        "Ours also writes the cloud and its table. *Taken* is what a side's memory grew by beside the model and its "
        "libraries.",
        {
            "side": ("side", "s"),
            "documents": ("documents", ",d"),
            "tokens_per_second": ("tokens/s", ",.0f"),
            "our_ratio": ("its time, times ours", ".2f"),
            "memory": ("most memory", MIB),
            "memory_taken": ("taken", MIB),
        },
    ),
    "capture_memory": Section(
        "Memory of a capture",
        "A tenth of the tokens against all of them; the ratio is 1 where memory does not grow.",
        {"ratio": ("ratio", ".2f"), "growth_bytes_a_token": ("bytes per further token", ".0f")},
    ),
    "generation_vs_generate": Section(
        "Generation",
        "Greedy continuation of a batch against `generate` of transformers, on a model of SmolLM2-135M's shape.",
        {
            "side": ("side", "s"),
            **_CASES,
            "new_tokens_per_second": ("new tokens/s", ",.0f"),
            "our_ratio": ("its time, times ours", ".2f"),
        },
    ),
    "maps_vs_peers": Section(
        "Maps",
        "Points of width 576. *Neighbours kept* is the share of the ten nearest that are among the ten nearest on "
        "the map. Ours runs in one thread, so that a seed gives one map; scikit-learn's t-SNE takes all threads.",
        {
            "map": ("map", "s"),
            "side": ("side", "s"),
            "points": ("points", ",d"),
            "seconds": ("s", ",.1f"),
            "our_ratio": ("its time, times ours", ".2f"),
            "kept_neighbours": ("neighbours kept", ".0%"),
        },
    ),
    "large_model": Section(
        "Llama-3.2-1B's shape",
        "1,235,814,400 random weights in bfloat16; deep prompts at the paper's sites (embeddings, last three blocks) "
        "and at the last three blocks alone, without a kept trunk.",
        {
            "what": ("what", "s"),
            **_CASES,
            **_TIMES,
            "tokens_per_second": ("tokens/s", ",.0f"),
            "bytes": ("beside the weights", MIB),
            "share_of_bound": ("of the bound", ".0%"),
        },
    ),
    "growth": Section(
        "Growth",
        "Random Llamas of which one size grows and the others stay. Exponents: time or bytes grow with this power of "
        "the size over its upper half; 1 is proportional.",
        {
            "axis": ("what grows", "s"),
            "size": ("to", ",d"),
            "soft_seconds": ("soft step, s", ".3f"),
            "soft_step_bytes": ("its bytes", MIB),
            "deep_seconds": ("deep step, s", ".3f"),
            "deep_step_bytes": ("its bytes", MIB),
            "capture_seconds": ("capture, s", ".3f"),
            "capture_ratio": ("transformers' time, times ours", ".2f"),
        },
        (
            "exponents",
            {
                "axis": ("exponent in", "s"),
                "soft_seconds": ("soft step", ".2f"),
                "soft_step_bytes": ("its bytes", ".2f"),
                "deep_seconds": ("deep step", ".2f"),
                "deep_step_bytes": ("its bytes", ".2f"),
                "capture_seconds": ("capture", ".2f"),
            },
        ),
    ),
}


def write(document: Row) -> str:
    """Return the page."""
    return "\n".join(_lines(document)) + "\n"


def _lines(document: Row) -> Iterator[str]:
    about = document["measured_on"]
    packages = ", ".join(f"{name} {number}" for name, number in about["packages"].items())
    yield "# Performance"
    yield ""
    yield "This page is made by `python -m tests.benchmarks.run_all --write docs` from performance.json,"
    yield "which stands beside it."
    yield ""
    where = f"{about['cpus']} cores ({about['machine']}, {about['capability']}), {about['threads']} threads"
    yield f"Measured at commit {document['commit']} on {where}, Python {about['python']}:"
    yield f"{packages}."
    if about["not_installed"]:
        yield f"Not installed, so not measured: {', '.join(about['not_installed'])}."
    if document["small"]:
        yield ""
        yield "**Sizes are those of a short run, which shows that everything works and says nothing about speed.**"
    yield ""
    yield from _goals(document["benchmarks"])
    for name, section in SECTIONS.items():
        if name in document["benchmarks"]:
            yield ""
            yield from _section(section, document["benchmarks"][name])


def _goals(found: Mapping[str, Row]) -> Iterator[str]:
    yield from ("| goal | bound | measured, at worst | |", "|---|---|---|---|")
    for goal in GOALS:
        cases = found.get(goal.benchmark, {}).get("document", {}).get("cases", ())
        value = goal.measured(cases) if cases else None
        told, met = ABSENT, "not measured"
        if value is not None:
            met = "met" if (value >= goal.bound if goal.least else value <= goal.bound) else "**not met**"
            told = f"{value:.2f}"
        yield f"| {goal.words} | {'≥' if goal.least else '≤'} {goal.bound:g} | {told} | {met} |"


def _section(section: Section, found: Row) -> Iterator[str]:
    yield f"## {section.title}"
    yield ""
    yield section.words
    yield ""
    if "error" in found:
        yield f"Not measured: `{found['error']}`"
    else:
        document = found["document"]
        yield from table(document.get("cases", [document]), section.columns)
        if section.further:
            name, columns = section.further
            yield ""
            yield from table(document[name], columns)
        if "paper_study" in document:
            yield ""
            yield from _paper_study(document["paper_study"])
    yield ""
    yield f"`{found['command']}`, {found['seconds']:.0f} s, load {found['load_average']:.1f} at its start."


def _paper_study(study: Row) -> Iterator[str]:
    parts = (
        f"{study['steps'][method]:,} steps of {study['runs'][method]:,} {method} runs, {hours:,.0f} hours"
        for method, hours in study["hours"].items()
    )
    yield f"The tuning steps of the paper's study at this pace, if no run ended early: {'; '.join(parts)}."


def table(cases: Sequence[Row], columns: Columns) -> Iterator[str]:
    """Yield a table of the columns that some case has."""
    shown = {key: column for key, column in columns.items() if any(key in case for case in cases)}
    yield f"| {' | '.join(heading for heading, _ in shown.values())} |"
    yield "|" + "---|" * len(shown)
    for case in cases:
        yield f"| {' | '.join(_cell(case.get(key), form) for key, (_, form) in shown.items())} |"


def _cell(value: Any, form: str) -> str:
    if value is None:
        return ABSENT
    return f"{value / 2**20:,.0f} MiB" if form == MIB else format(value, form)
