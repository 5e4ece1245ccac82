"""The verbs `generalise` and `line`."""

import pytest

from core.store import Store
from tests.unit.jobs.measured import tuned, tuning


@pytest.fixture
def runs(inline: Store, tiny_folder, tmp_path):
    """Return two tuned runs that differ in their seed, and a file of other questions."""
    spec = tuning(tiny_folder, tmp_path / "sums.jsonl")
    other = tmp_path / "texts.txt"
    other.write_text("\n\n".join(f"Passage {i}: the cat sat on mat {i * i} again." for i in range(30)))
    first, second = tuned(spec, inline, "t-aaa"), tuned(spec.model_copy(update={"seed": 1}), inline, "t-bbb")
    return first, second, other


def test_prompts_are_read_on_other_data(ask, call, runs):
    *_, other = runs
    document = ask("generalise", "t-aaa", "t-b", "t-aaa", "--datasets", f"file:{other}", "--samples", "30")
    (label,) = document["datasets"]
    assert [one["run"] for one in document["runs"]] == ["t-aaa", "t-bbb"]
    first, second = (one["read"][label] for one in document["runs"])
    assert first["loss"] != second["loss"]
    assert first["no_prompt"] == pytest.approx(second["no_prompt"])
    assert call("generalise", "t-aaa")[0] == 2


def test_a_line_has_its_losses_and_its_barrier(ask, call, runs):
    first, second, _ = runs
    document = ask("line", "t-aaa", "t-bbb", "--points", "3")
    assert (document["first"], document["second"], document["shares"]) == ("t-aaa", "t-bbb", [0.0, 0.5, 1.0])
    ends = [(run.result() or {})["validation"]["loss"] for run in (first, second)]
    assert [document["losses"][0], document["losses"][-1]] == ends
    assert document["barrier"] == max(document["losses"]) - max(ends)
    code, _, message = call("line", "t-aaa", "t-bbb", "--points", "2")
    assert code == 2
    assert "points" in message
