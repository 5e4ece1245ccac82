"""What came of a sweep, from run folders written by hand."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import save_file

from core.analysis.displacement import displacement
from core.jobs.best_rates import BestRates, best_rates
from core.jobs.outcomes import displacement_of, outcome, runs_table
from core.jobs.sweep import Standing
from core.specs import SweepSpec
from core.specs.cells import cells_of, compared_cells
from core.store import Store, create_job

WAY = {0: 3.0, 5: 2.5}


def standing(store: Store, cell, loss: float | None, way: dict[int, float] = WAY) -> Standing:
    """Write the folder of a run that ended at a loss, or failed."""
    job = create_job(store, "tune", cell.spec.as_json(), f"t-{cell.spec.fingerprint()}")
    if loss is None:
        job.update(state="failed", error="it broke")
        return Standing(cell, job)
    for step, value in {**way, 10: loss}.items():
        job.append(event="evaluation", step=step, validation={"loss": value})
    job.write_result(
        {
            "validation": {"loss": loss, "accuracy": 0.5},
            "baseline": {"no_prompt": {"loss": 4.0}},
            "steps": 10,
            "seconds": 1.5,
            "steps_per_second": 9.0,
        }
    )
    job.update(state="succeeded", finished=1.0)
    return Standing(cell, job)


def sweep(
    store: Store, table: Mapping[str, Mapping[float, Sequence[Any]]], compare: dict[str, list[float]] | None = None
):
    """Return the standings of a search: prior → rate → losses by seed."""
    rates = sorted({rate for found in table.values() for rate in found})
    n_seeds = max(len(losses) for found in table.values() for losses in found.values())
    spec = SweepSpec.parse(
        {
            "priors": list(table),
            "learning_rates": rates,
            "seeds": list(range(n_seeds)),
            "compare_seeds": list(range(100, 100 + len(next(iter(compare.values()))))) if compare else [],
        }
    )
    cells = cells_of(spec)
    found = [
        standing(store, cell, table[cell.spec.prior.kind][cell.spec.learning_rate][cell.spec.seed]) for cell in cells
    ]
    if compare:
        groups = {cell.group: cell.spec.prior.kind for cell in cells}
        best = {
            group: min(table[kind], key=lambda rate, kind=kind: np.mean(table[kind][rate]))
            for group, kind in groups.items()
        }
        found += [
            standing(store, cell, compare[cell.spec.prior.kind][cell.spec.seed - 100])
            for cell in compared_cells(spec, cells, best)
        ]
    return found


def test_an_outcome_tells_what_is_known(store: Store):
    (cell,) = cells_of(SweepSpec.parse({"priors": ["isotropic"]}))
    assert outcome(Standing(cell)) == {"run": None, "status": "not started"}
    assert outcome(Standing(cell, error="no")) == {"run": None, "status": "refused", "error": "no"}
    failed = standing(store, cell, None)
    assert failed.job is not None
    assert outcome(failed) == {"run": failed.job.id, "status": "failed", "error": "it broke"}
    found = outcome(standing(store, cell, 2.0))
    assert found["validation"] == {"loss": 2.0, "accuracy": 0.5}
    assert found["evaluations"] == {0: 3.0, 5: 2.5, 10: 2.0}
    assert "displacement" not in found


def test_displacement_is_over_all_sites_together(store: Store):
    before, after = np.random.default_rng(0).standard_normal((2, 3, 4, 8)).astype(np.float32)
    job = create_job(store, "tune", {}, "t-1")
    assert displacement_of(job) is None
    for name, prompt in (("prior", before), ("posterior", after)):
        save_file({"prompt": prompt, "site": np.array([0, 1, 2])}, job.path / f"{name}.safetensors")
    job.update(state="succeeded", done=9, total=9)
    every = displacement(before.reshape(12, 8), after.reshape(12, 8))
    assert displacement_of(job) == {
        "angle_median": np.median(every.angle),
        "distance_median": np.median(every.distance),
        "norm_before_median": np.median(every.norm_before),
        "norm_after_median": np.median(every.norm_after),
    }


def test_a_row_a_run_with_steps_to_the_worst_of_the_bests(store: Store):
    found = sweep(store, {"isotropic": {1e-3: [2.0, 2.4]}, "xavier": {1e-3: [2.5, None]}})
    table = runs_table(found)
    assert table["prior"].tolist() == ["isotropic", "isotropic", "xavier", "xavier"]
    assert table["status"].tolist() == ["succeeded"] * 3 + ["failed"]
    assert table["target"].tolist() == [2.5] * 4
    assert table["steps_to_target"].tolist()[:3] == [5, 5, 5]
    assert table["not_before"].tolist()[:3] == [0, 0, 0]
    assert pd.isna(table["steps_to_target"].iloc[3])
    assert table["error"].tolist()[3] == "it broke"
    assert table["loss_no_prompt"].iloc[0] == 4.0
    given = runs_table(found, target=2.2)
    assert given["steps_to_target"].iloc[0] == 10
    assert pd.isna(given["steps_to_target"].iloc[1])


def test_losses_on_other_data_do_not_set_the_target(store: Store):
    spec = SweepSpec.parse({"priors": ["isotropic"], "datasets": ["math", "math:arithmetic__mul"]})
    found = [standing(store, cell, loss) for cell, loss in zip(cells_of(spec), (1.0, 2.0), strict=True)]
    assert runs_table(found)["target"].tolist() == [1.0, 2.0]
    assert not best_rates(found).differences


def test_rates_chosen_on_other_seeds_are_compared_on_those_of_the_comparison(store: Store):
    table = {"isotropic": {1e-3: [2.0, 2.2], 1e-2: [1.0, 1.4]}, "xavier": {1e-3: [1.5, 1.5], 1e-2: [3.0, 3.0]}}
    best = best_rates(sweep(store, table, {"isotropic": [1.5, 1.7, 1.6], "xavier": [1.9, 1.8, 2.0]}))
    first, second = best.groups
    assert (first.rate, first.chosen_on, first.at_edge) == (1e-2, "other seeds", True)
    assert first.losses == {100: 1.5, 101: 1.7, 102: 1.6}
    assert first.loss["value"] == pytest.approx(1.6)
    assert (second.rate, second.losses) == (1e-3, {100: 1.9, 101: 1.8, 102: 2.0})
    (pair,) = best.differences
    assert pair.first["prior"] == "isotropic"
    assert pair.difference["value"] == pytest.approx(-0.3)
    assert pair.n_seeds == 3
    assert second.target == 2.0


def test_without_further_seeds_each_is_told_at_the_others_choice(store: Store):
    (group,) = best_rates(sweep(store, {"isotropic": {1e-3: [2.0, 2.0], 1e-2: [0.0, 3.0]}})).groups
    assert group.chosen_on == "each seed's others"
    assert group.losses == {0: 2.0, 1: 3.0}
    assert group.rates == {0: 1e-3, 1: 1e-2}


def test_a_choice_on_the_very_seed_says_so_and_a_single_rate_is_no_choice(store: Store):
    (group,) = best_rates(sweep(store, {"isotropic": {1e-3: [2.0], 1e-2: [1.0]}})).groups
    assert (group.chosen_on, group.losses) == ("the same seed", {0: 1.0})
    assert "low" not in group.loss
    (given,) = best_rates(sweep(store, {"isotropic": {1e-3: [2.0, 1.0]}})).groups
    assert (given.chosen_on, given.losses) == ("given", {0: 2.0, 1: 1.0})


def test_a_group_without_a_rate_that_works_is_left_out(store: Store):
    found = sweep(store, {"isotropic": {1e-3: [None, 1.0]}, "xavier": {1e-3: [2.0, 2.0]}})
    assert [group.names["prior"] for group in best_rates(found).groups] == ["xavier"]
    assert best_rates([]) == BestRates((), ())
