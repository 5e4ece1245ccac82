"""Prompts read once more on a tiny model, against what the runs themselves measured."""

import json

import numpy as np
import pytest

from core.errors import BadRequest
from core.jobs.readings import find_elsewhere, find_line, find_penalties, generalise_spec, line_spec, penalties_spec
from core.specs import DatasetSpec
from core.store import find_job
from core.store.prompts import read_prompts
from tests.jobs import attempt, done

DEEP = {"method": "deep", "prompt_sites": (0, -1), "prior": {"kind": "gaussian"}}


def validation_loss(run) -> float:
    return (run.result() or {})["validation"]["loss"]


@pytest.mark.parametrize("more", [{}, DEEP])
def test_a_prompt_read_on_its_home_data_gives_its_own_losses(tuned, kept, more):
    run = tuned(**more)
    home = DatasetSpec.parse(run.spec["dataset"])
    spec = generalise_spec(run, [home])
    done("generalise", spec, kept)
    (found,) = find_elsewhere(spec, kept) or []
    assert found.loss == validation_loss(run)
    assert found.no_prompt == pytest.approx((run.result() or {})["baseline"]["no_prompt"]["loss"], rel=1e-5)


def test_other_data_gives_other_losses_and_nothing_is_kept_of_the_frozen_part(tuned, kept, tmp_path):
    run = tuned(**DEEP)
    rows = [{"q": f"{i} times {i}?", "a": str(i * i)} for i in range(30)]
    (tmp_path / "squares.jsonl").write_text("\n".join(map(json.dumps, rows)))
    other = DatasetSpec(name="file", path=str(tmp_path / "squares.jsonl"), prompt_column="q", answer_column="a")
    spec = generalise_spec(run, [other])
    done("generalise", spec, kept)
    (found,) = find_elsewhere(spec, kept) or []
    assert found.label == other.label
    assert found.loss != validation_loss(run)


def test_what_the_model_does_without_a_prompt_is_measured_once_for_all_prompts_that_are_read(tuned, kept):
    other = DatasetSpec(name="math", module="arithmetic__div", samples=30)
    counts, found = [], []
    for run in (tuned(), tuned(seed=1)):
        spec = generalise_spec(run, [other])
        done("generalise", spec, kept)
        found += find_elsewhere(spec, kept) or []
        counts.append(len(list((kept.root / "artifacts" / "baseline").iterdir())))
    assert counts[0] == counts[1]
    assert found[0].no_prompt == found[1].no_prompt
    assert found[0].loss != found[1].loss


@pytest.mark.parametrize("more", [{}, DEEP])
def test_at_the_ends_of_the_line_the_losses_are_those_of_the_runs(tuned, kept, more):
    first, second = tuned(**more), tuned(**{**more, "seed": 1})
    spec = line_spec(first, second, 5)
    done("line", spec, kept)
    line = find_line(spec, kept)
    assert line is not None
    assert [line.losses[0], line.losses[-1]] == [validation_loss(first), validation_loss(second)]
    assert line.shares == [0, 0.25, 0.5, 0.75, 1]
    assert line.barrier == pytest.approx(max(line.losses) - max(line.losses[0], line.losses[-1]))


def test_there_is_no_line_between_prompts_of_other_sites_and_what_differs_is_said(tuned):
    with pytest.raises(BadRequest, match=r"no line between .* whose method and prompted blocks and"):
        line_spec(tuned(), tuned(**DEEP))
    with pytest.raises(BadRequest, match="number and width of vectors differ; choose two runs of one model"):
        line_spec(tuned(), tuned(n_prompt=4))


def test_every_regulariser_measures_a_run_as_if_it_had_been_tuned_with_it(tuned, kept):
    plain = tuned(**DEEP)
    spec = penalties_spec(plain)
    done("penalties", spec, kept)
    found = find_penalties(spec, kept)
    assert found is not None
    assert set(found) == {"l2", "log_prior", "repulsion", "attraction", "spread"}
    prompts = read_prompts(plain)
    assert prompts is not None
    before, after = prompts.vectors[0], prompts.vectors[-1]
    moved = ((after - before) ** 2).sum(axis=(1, 2)) / (before**2).sum(axis=(1, 2))
    assert found["l2"] == pytest.approx({"start": 0.0, "end": float(np.mean(moved))}, rel=1e-4)
    weighted = tuned(**DEEP, spread_weight=1.0)
    own = (weighted.result() or {})["regularisers"]["spread"]
    assert found["spread"]["start"] == pytest.approx(own["start"])


def test_a_posterior_that_has_changed_is_refused(tuned, kept):
    run = tuned()
    spec = penalties_spec(run).model_copy(update={"posterior": "0" * 16})
    job = attempt("penalties", spec, kept)
    assert (job.status().state, job.status().exit_code) == ("failed", 2)
    assert "is no longer 0000000000000000; ask for it again." in job.status().error
    assert find_job(kept, run.id).id == run.id
