import pytest
import torch
from torch.profiler import ProfilerActivity, profile

from tests.benchmarks.growth import MEASURED, exponents
from tests.benchmarks.inside_step import PARTS, most_held
from tests.benchmarks.page import write
from tests.benchmarks.run_all import BENCHMARKS, Benchmark, run
from tests.benchmarks.sections import SECTIONS
from tests.unit.test_words import findings

MACHINE = {
    "machine": "x86_64",
    "cpus": 2,
    "threads": 2,
    "capability": "AVX2",
    "python": "3.11.7",
    "packages": {"torch": "2.13.0"},
    "not_installed": ["nnsight"],
}


def a_run(**found):
    about = {"command": "python -m tests.benchmarks.x", "commit": "abc1234", "seconds": 3.2, "load_average": 0.1}
    return about | found


def a_page(**benchmarks):
    return write({"small": False, "measured_on": MACHINE, "benchmarks": benchmarks}).splitlines()


def rows(page, beginning):
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in page if line.startswith(beginning)]


def test_a_tiny_benchmark_runs_in_its_own_process_and_is_shown_on_the_page():
    tuning = next(one for one in BENCHMARKS if one.name == "tuning_vs_peft")

    found = run(tuning, small=True)

    cases = {case["side"]: case for case in found["document"]["cases"]}
    assert cases["PEFT"]["ratio_to_peft"] == 1
    assert cases["ours"]["ratio_to_peft"] == pytest.approx(cases["PEFT"]["seconds"] / cases["ours"]["seconds"])
    assert cases["ours"]["weight_bytes"] <= cases["PEFT"]["weight_bytes"]
    assert sum(cases["ours"][f"share_{part}"] for part in PARTS) == pytest.approx(1)
    assert all(cases["ours"][f"share_{part}"] > 0 for part in ("attention", "MLP", "norms", "head", "optimiser"))
    page = a_page(tuning_vs_peft=found)
    (shown,) = rows(page, "| ours |")
    assert f"{cases['ours']['ratio_to_peft']:.2f}" in shown
    assert any(found["command"] in line for line in page)


def test_a_benchmark_that_fails_says_why_in_the_document_and_on_the_page():
    found = run(Benchmark("no_such_benchmark"))

    assert "no_such_benchmark" in found["error"]
    assert any(line.startswith("Not measured:") and found["error"] in line for line in a_page(growth=found))


@pytest.mark.parametrize(("ratio", "met"), [(1.31, "met"), (1.29, "**not met**")])
def test_goals_are_judged_by_the_worst_measured_case(ratio, met):
    def case(side, documents, our_ratio, memory):
        numbers = {"our_ratio": our_ratio, "memory": memory, "tokens_per_second": 1000.0, "memory_taken": 5e6}
        return {"side": side, "documents": documents, **numbers}

    cases = [case("ours", 100, 1.0, 1e8), case("nnsight", 100, 2.0, 1e8), case("nnsight", 1000, ratio, 1e8)]

    page = a_page(capture_vs_peers=a_run(document={"cases": cases}))

    (goal,) = rows(page, "| capture, times the fastest peer |")
    assert goal[1:] == ["≥ 1.3", f"{ratio:.2f}", met]
    (other,) = rows(page, "| a soft step, times PEFT's default |")
    assert other[-1] == "not measured"
    assert "Not installed, so not measured: nnsight." in page


def test_a_goal_is_judged_by_what_its_benchmark_measured():
    times = {"name": "overview", "cold_picture_seconds": 1.9, "again_seconds": 0.5}
    moves = [{"what": "Priors, a move of a slider", "picture": 310.0}, {"what": "layer film, a frame", "picture": 90.0}]
    held = {"reruns of one session: 0": 400, "reruns of one session: 100": 420, "sessions: 1": 900}
    memory = [{"when": when, "megabytes": megabytes} for when, megabytes in held.items()]

    page = a_page(
        page_times=a_run(document={"cases": [times], "moves": moves}),
        server_memory=a_run(document={"cases": memory, "pages": []}),
    )

    met = {row[0]: row[2:] for row in rows(page, "| ") if len(row) == 4}
    assert met["seconds to Overview's first picture"] == ["1.90", "met"]
    assert met["milliseconds from a move on Priors to its picture"] == ["310.00", "**not met**"]
    assert met["memory of the app's server after 100 reruns, of before"] == ["1.05", "met"]
    assert met["seconds to a verb's first output"] == ["–", "not measured"]


def test_the_page_uses_the_words_of_the_glossary():
    document = {"cases": []} | {section.further[0]: [] for section in SECTIONS.values() if section.further}

    page = a_page(**{name: a_run(document=document) for name in SECTIONS})

    assert sum(line.startswith("## ") for line in page) == len(SECTIONS)
    assert not list(findings("\n".join(page), 1, "performance.md"))


def test_the_exponent_is_that_of_the_upper_half_of_the_sizes():
    cases = [{"size": size, **dict.fromkeys(MEASURED, 3.0 * size**1.5)} for size in (250, 500, 1000, 2000)]
    cases[0] |= dict.fromkeys(MEASURED, 7.0)

    assert exponents(cases) == pytest.approx(dict.fromkeys(MEASURED, 1.5))


def test_the_most_bytes_held_count_what_lives_together():
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as seen:
        first = torch.zeros(1000, 250)
        second = first + 1
        del first
        third = second * 2
        del second, third

    assert most_held(seen) == pytest.approx(2 * 1000 * 250 * 4, rel=0.001)
