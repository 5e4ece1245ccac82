"""The document of `run_all` as a page: goals, then a table for each benchmark. No figure is typed by hand."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.benchmarks.sections import MIB, SECTIONS, Columns, Section

Row = Mapping[str, Any]
Measured = Callable[[Row], float | None]
ABSENT = "–"


@dataclass(frozen=True)
class Goal:
    """What was set as a goal.

    Attributes:
        words: of it.
        benchmark: that measures it.
        measured: from the benchmark's document, or None where it does not say.
        bound: of the measured value.
        least: whether the bound is the least value that meets the goal, or the most.
    """

    words: str
    benchmark: str
    measured: Measured
    bound: float
    least: bool = True


def _of(choose: Callable[[Iterable[float]], float], key: str, name: str, wanted: str, part: str = "cases") -> Measured:
    """Return a way to choose among the values of those cases in which `name` is what is wanted."""

    def measured(document: Row) -> float | None:
        found = [case[key] for case in document.get(part, ()) if case[name] == wanted and key in case]
        return choose(found) if found else None

    return measured


def _fastest_peer(document: Row) -> float | None:
    cases = document["cases"]
    return min((case["our_ratio"] for case in cases if not case["side"].startswith("ours")), default=None)


def _capture_growth(document: Row) -> float | None:
    own = [case["memory"] for case in document["cases"] if case["side"] == "ours"]
    return own[-1] / own[0] if own else None


def _slowest_verb(document: Row) -> float | None:
    return max((case["first_output_seconds"] for case in document["cases"]), default=None)


def _slowest_rerun(document: Row) -> float | None:
    return max((case["again_seconds"] for case in document["cases"]), default=None)


def _rerun_growth(document: Row) -> float | None:
    held = [case["megabytes"] for case in document["cases"] if case["when"].startswith("reruns")]
    return held[-1] / held[0] if held else None


GOALS = (
    Goal("a soft step, times PEFT's default", "tuning_vs_peft", _of(min, "ratio_to_peft", "side", "ours"), 3),
    Goal(
        "a soft step in float32, times PEFT's default",
        "tuning_vs_peft",
        _of(min, "ratio_to_peft", "side", "ours, float32"),
        1.8,
    ),
    Goal(
        "a soft step, times PEFT in bfloat16", "tuning_vs_peft", _of(min, "ratio_to_peft_bfloat16", "side", "ours"), 1.8
    ),
    Goal(
        "memory of weights and a step, of PEFT's",
        "tuning_vs_peft",
        _of(max, "memory_to_peft", "side", "ours"),
        0.5,
        False,
    ),
    Goal("capture, times the fastest peer", "capture_vs_peers", _fastest_peer, 1.3),
    Goal("memory of ten times the documents, of one", "capture_vs_peers", _capture_growth, 1.1, False),
    Goal(
        "seconds to Overview's first picture",
        "page_times",
        _of(max, "cold_picture_seconds", "name", "overview"),
        2,
        False,
    ),
    Goal("seconds of a page's rerun at 20,000 points", "page_times", _slowest_rerun, 1, False),
    Goal(
        "milliseconds from a move on Priors to its picture",
        "page_times",
        _of(max, "picture", "what", "Priors, a move of a slider", "moves"),
        300,
        False,
    ),
    Goal("seconds from a click to the first step", "click_to_step", _of(max, "step", "engine", "warm"), 3, False),
    Goal("seconds to a verb's first output", "start_up", _slowest_verb, 1, False),
    Goal("memory of the app's server after 100 reruns, of before", "server_memory", _rerun_growth, 1.1, False),
)


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
    yield f"Measured on {where}, Python {about['python']}:"
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
        document = found.get(goal.benchmark, {}).get("document")
        value = goal.measured(document) if document else None
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
    when = f"{found['seconds']:.0f} s, load {found['load_average']:.1f} at its start, commit {found['commit']}"
    yield f"`{found['command']}`, {when}."


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
