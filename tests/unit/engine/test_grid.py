"""Values of one setting, as specs, as queued runs, and as rows."""

from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

import core.priors  # noqa: F401 - importing it defines the kinds
from core.analysis.displacement import displacement
from core.engine import client
from core.engine.grid import Cell, cell_row, displacement_of, grid, submit_grid
from core.errors import BadRequest, UnknownName
from core.specs import TuningSpec, parse_prior
from core.store import Store, create_job

SPEC = TuningSpec(prior=parse_prior({"kind": "exclusion", "c": 5}), seed=3, spread_weight=0.5)


def test_a_spec_for_each_value_and_nothing_else_changed() -> None:
    specs = grid(SPEC, "spread_weight", ["0", "0.1", 1])
    assert [spec.spread_weight for spec in specs] == [0, 0.1, 1]
    assert all(spec.model_copy(update={"spread_weight": 0.5}) == SPEC for spec in specs)
    assert len({spec.fingerprint() for spec in specs}) == 3


@pytest.mark.parametrize(
    ("field", "values", "found"),
    [
        ("prior.c", ["2", "5"], [2.0, 5.0]),
        ("dataset.seed", ["0", "1"], [0, 1]),
        ("prior", ["isotropic", '{"kind":"exclusion","c":9}'], ["isotropic", '{"kind":"exclusion","c":9}']),
        ("method", ["soft", "deep"], ["soft", "deep"]),
    ],
)
def test_fields_inside_fields_and_whole_priors(
    field: str, values: list[str], found: list[Any], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def submit(kind: str, spec: TuningSpec, store: Store, again: bool):
        return create_job(store, kind, spec.model_dump(mode="json"), f"t-{spec.fingerprint()}")

    monkeypatch.setattr(client, "submit", submit)
    cells = submit_grid(SPEC, field, values, store)
    assert [cell.value for cell in cells] == found
    assert [cell.job.spec for cell in cells if cell.job] == [
        spec.model_dump(mode="json") for spec in grid(SPEC, field, values)
    ]


@pytest.mark.parametrize("field", ["spread", "prior.d", "seed.x", "prior.kind"])
def test_an_unknown_field_is_named_with_those_there_are(field: str) -> None:
    with pytest.raises(UnknownName, match=f"Unknown field '{field}'; known: "):
        grid(SPEC, field, ["1"])


@pytest.mark.parametrize(
    ("field", "values", "message"),
    [
        ("spread_weight", [], r"No value of spread_weight is given; give at least one"),
        ("spread_weight", ["0", "-1"], r"spread_weight: Input should be greater than or equal to 0"),
        ("spread_weight", ["0", "0.0"], r"spread_weight 0 and 0.0 ask for the same run; give values that differ"),
        ("cache_trunk", ["true", "false"], r"cache_trunk true and false ask for the same run"),
    ],
)
def test_what_makes_no_grid_is_refused(field: str, values: list[str], message: str) -> None:
    with pytest.raises(BadRequest, match=message):
        grid(SPEC, field, values)


def test_a_refused_run_does_not_keep_the_others_from_the_queue(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def submit(kind: str, spec: TuningSpec, store: Store, again: bool):
        if spec.learning_rate > 1:
            raise BadRequest("too steep")
        return create_job(store, kind, spec.model_dump(mode="json"), f"t-{spec.fingerprint()}" + "-2" * again)

    monkeypatch.setattr(client, "submit", submit)
    first, refused, last = submit_grid(SPEC, "learning_rate", ["0.1", "2", "0.2"], store, again=True)
    assert first.job is not None
    assert first.job.id.endswith("-2")
    assert last.job is not None
    assert cell_row(refused) == {"value": 2.0, "run": None, "status": "refused", "error": "too steep"}
    assert cell_row(first) == {"value": 0.1, "run": first.job.id, "status": "queued"}


def test_a_row_tells_quality_and_displacement_over_all_sites(store: Store) -> None:
    rng = np.random.default_rng(0)
    before, after = rng.standard_normal((2, 3, 4, 8)).astype(np.float32)
    job = create_job(store, "tune", {}, "t-1")
    cell = Cell(0.1, SPEC, job)
    assert displacement_of(job) is None
    job.update(state="failed", error="it broke")
    assert cell_row(cell) == {"value": 0.1, "run": "t-1", "status": "failed", "error": "it broke"}
    for name, prompt in (("prior", before), ("posterior", after)):
        save_file({"prompt": prompt, "site": np.array([0, 1, 2])}, job.path / f"{name}.safetensors")
    job.write_result({"validation": {"loss": 2.0}, "baseline": {"no_prompt": {"loss": 3.0}}, "steps": 9})
    job.update(state="succeeded", done=9, total=9)
    row = cell_row(cell)
    assert set(row) == {"value", "run", "status", "validation", "baseline", "displacement"}
    every = displacement(before.reshape(12, 8), after.reshape(12, 8))
    assert row["displacement"] == {
        "angle_median": np.median(every.angle),
        "distance_median": np.median(every.distance),
        "norm_before_median": np.median(every.norm_before),
        "norm_after_median": np.median(every.norm_after),
    }
