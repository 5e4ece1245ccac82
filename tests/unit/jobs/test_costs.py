"""What runs cost together, by the pace of earlier ones."""

from pathlib import Path

import pytest

from core.errors import BadRequest
from core.jobs.costs import Paces, runs_cost
from core.specs import DatasetSpec, ModelSpec, TuningSpec, parse_prior
from core.store import Store, create_job


@pytest.fixture
def spec(tiny_folder: Path) -> TuningSpec:
    return TuningSpec(model=ModelSpec(name=str(tiny_folder)), prior=parse_prior("isotropic"), steps=10, batch_size=4)


def ended(store: Store, spec: TuningSpec, steps_per_second: float, seconds: float, name: str = "t-0") -> None:
    job = create_job(store, "tune", spec.as_json(), name)
    job.write_result({"steps": spec.steps, "seconds": seconds, "steps_per_second": steps_per_second})
    job.update(state="succeeded")


def test_seconds_are_steps_by_the_batch_and_what_was_around_them(store: Store, spec: TuningSpec) -> None:
    assert Paces(store).seconds(spec) is None
    ended(store, spec, steps_per_second=5.0, seconds=8.0)  # 2 s of steps, 6 s of all else
    twice = spec.model_copy(update={"steps": 20, "batch_size": 8})
    assert Paces(store).seconds(twice) == pytest.approx(20 * 2 / 5 + 6)


@pytest.mark.parametrize(
    ("change", "known"),
    [
        ({"learning_rate": 0.5, "seed": 9, "n_prompt": 3}, True),
        ({"dataset": DatasetSpec(name="math", module="arithmetic__mul")}, True),
        ({"dataset": DatasetSpec(name="squad")}, False),
        ({"method": "deep", "prompt_sites": (1,)}, False),
    ],
)
def test_only_runs_alike_tell_a_pace(store: Store, spec: TuningSpec, change: dict, known: bool) -> None:
    ended(store, spec, steps_per_second=5.0, seconds=8.0)
    assert (Paces(store).seconds(spec.model_copy(update=change)) is not None) is known


def test_what_runs_share_counts_once(store: Store, spec: TuningSpec) -> None:
    deep = spec.model_copy(update={"method": "deep", "prompt_sites": (1, 2), "prior": parse_prior("gaussian")})
    one, two = (runs_cost([deep.model_copy(update={"seed": k}) for k in range(n)], store) for n in (1, 2))
    assert one.bytes is not None
    assert two.bytes is not None
    assert two.trunk_bytes == one.trunk_bytes > 0
    assert two.bytes - two.trunk_bytes == pytest.approx(2 * (one.bytes - one.trunk_bytes))
    assert two.captures == one.captures == (deep.activations(1, 2),)
    assert (two.steps, two.seconds) == (20, None)
    assert runs_cost([], store).seconds == 0


def test_an_unknown_model_has_no_size_and_a_block_that_is_not_there_is_told(store: Store, spec: TuningSpec) -> None:
    unknown = spec.model_copy(update={"model": ModelSpec(name="nobody/nothing"), "method": "deep"})
    assert runs_cost([unknown], store).bytes is None
    with pytest.raises(BadRequest, match="Block 7 cannot be prompted"):
        runs_cost([spec.model_copy(update={"method": "deep", "prompt_sites": (7,)})], store)
