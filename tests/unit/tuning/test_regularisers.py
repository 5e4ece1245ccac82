"""Each penalty against an independent computation, and what it does to a run."""

import json
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors import safe_open
from safetensors.numpy import load_file, save_file
from scipy.spatial.distance import cdist
from scipy.special import logsumexp
from scipy.stats import norm
from sklearn.covariance import LedoitWolf

from core.errors import BadRequest, Cancelled, Diverged
from core.priors.covariance import fit_gaussian
from core.store import create_job
from core.store.prompts import read_prompt
from core.store.record_files import DIGEST
from core.tuning.regularisers.attraction import Attraction
from core.tuning.regularisers.base import Ground, build_regularisers, effects, weighted
from core.tuning.regularisers.distance import Distance
from core.tuning.regularisers.likelihood import NegativeLogPrior
from core.tuning.regularisers.repulsion import TEMPERATURE, Repulsion
from core.tuning.regularisers.spread import RIDGE, Spread
from core.tuning.run import tune
from tests.runs import spec_of
from tests.unit.tuning.conftest import run

D_MODEL, N_PROMPT = 8, 5
SHAPES = [(1, N_PROMPT, D_MODEL), (3, N_PROMPT, D_MODEL)]
CPU = torch.device("cpu")


def draw(shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def clouds(shape):
    return [draw((200, D_MODEL), 10 + site) @ draw((D_MODEL, D_MODEL), 20 + site) + site for site in range(shape[0])]


def distance(shape):
    prior = draw(shape, 1)
    sites = list(zip(draw(shape), prior, strict=True))
    expected = np.mean([np.square(now - then).mean() / np.square(then).mean() for now, then in sites])
    return Distance(1.0, torch.tensor(prior)), expected


def log_prior(shape):
    stds = [0.5 + site for site in range(shape[0])]

    def density(std):
        return lambda vectors: torch.distributions.Normal(0.0, std).log_prob(vectors).sum(-1)

    expected = -np.mean([norm.logpdf(site, 0, std) for std, site in zip(stds, draw(shape), strict=True)])
    return NegativeLogPrior(1.0, [density(std) for std in stds]), expected


def repulsion(shape):
    similar = [1 - cdist(site, rows, "cosine") for site, rows in zip(draw(shape), clouds(shape), strict=True)]
    expected = np.mean([TEMPERATURE * np.asarray(logsumexp(cosines / TEMPERATURE, axis=1)) for cosines in similar])
    largest = np.mean([cosines.max(axis=1) for cosines in similar])
    assert largest <= expected <= largest + TEMPERATURE * np.log(200)
    return Repulsion(1.0, [torch.tensor(rows) for rows in clouds(shape)]), expected


def attraction(shape):
    fits = [LedoitWolf().fit(rows.astype(np.float64)) for rows in clouds(shape)]
    found = [fit.mahalanobis(site) / D_MODEL for fit, site in zip(fits, draw(shape), strict=True)]
    ours = [fit_gaussian(rows, None, "ledoit_wolf", 1) for rows in clouds(shape)]
    return Attraction(1.0, ours, CPU), np.mean(found)


def spread(shape):
    found = []
    for site in draw(shape):
        cosines = 1 - cdist(site, site, "cosine")
        _, logarithm = np.linalg.slogdet((cosines + RIDGE * np.eye(N_PROMPT)) / (1 + RIDGE))
        found.append(-logarithm / N_PROMPT)
    return Spread(1.0), np.mean(found)


@pytest.mark.parametrize("shape", SHAPES, ids=["soft", "deep"])
@pytest.mark.parametrize("make", [distance, log_prior, repulsion, attraction, spread])
def test_a_penalty_is_what_an_independent_computation_gives_and_has_its_gradient(make, shape):
    regulariser, expected = make(shape)
    prompt = torch.tensor(draw(shape), requires_grad=True)
    penalty = regulariser.penalty(prompt)
    assert penalty.shape == ()
    assert float(penalty.detach()) == pytest.approx(expected, rel=2e-5)
    penalty.backward()
    assert prompt.grad is not None
    direction = torch.tensor(draw(shape, 7))
    with torch.no_grad():
        up, down = (float(regulariser.penalty(prompt + sign * 1e-3 * direction)) for sign in (1, -1))
    assert float((prompt.grad * direction).sum()) == pytest.approx((up - down) / 2e-3, rel=0.02, abs=2e-3)


def test_a_tensor_of_sites_counts_as_the_mean_of_its_sites():
    rows = [torch.tensor(cloud) for cloud in clouds(SHAPES[1])]
    prompt = torch.tensor(draw(SHAPES[1]))
    alone = [float(Repulsion(1.0, [those]).penalty(site[None])) for those, site in zip(rows, prompt, strict=True)]
    assert float(Repulsion(1.0, rows).penalty(prompt)) == pytest.approx(np.mean(alone), rel=1e-6)


def test_the_scales_that_the_fields_speak_of():
    prior = torch.tensor(draw(SHAPES[0]))
    assert float(Distance(1.0, prior).penalty(2 * prior)) == pytest.approx(1)
    assert float(Spread(1.0).penalty(torch.eye(D_MODEL)[None, :N_PROMPT])) == pytest.approx(0, abs=1e-12)
    same = float(Spread(1.0).penalty(torch.ones(1, 20, D_MODEL)))
    assert 4 < same < np.log(1 + 1 / RIDGE)
    points = draw((5000, D_MODEL))
    cloud = Attraction(1.0, [fit_gaussian(points, None, "ledoit_wolf", 1)], CPU)
    assert float(cloud.penalty(torch.tensor(points[None]))) == pytest.approx(1, abs=0.02)


def test_directions_alone_count_for_repulsion_and_spread():
    prompt = torch.tensor(draw(SHAPES[0]))
    for regulariser in (Repulsion(1.0, [torch.tensor(clouds(SHAPES[0])[0])]), Spread(1.0)):
        assert float(regulariser.penalty(10 * prompt)) == pytest.approx(float(regulariser.penalty(prompt)), rel=1e-4)


def test_points_of_a_cloud_that_may_only_be_read_are_copied(tiny_folder, sums):
    points = draw((50, D_MODEL))
    points.flags.writeable = False
    cloud: Any = SimpleNamespace(points=lambda site: points)
    prompt = torch.tensor(draw(SHAPES[0]))
    spec = spec_of(tiny_folder, sums, repulsion_weight=1.0)
    (regulariser,) = build_regularisers(Ground(spec, (0,), prompt, list, lambda _: cloud, CPU))
    expected = Repulsion(1.0, [torch.tensor(points)]).penalty(prompt)
    assert torch.equal(regulariser.penalty(prompt), expected)


def test_a_zero_prior_sample_has_no_scale():
    with pytest.raises(BadRequest, match=r"The prior sample is 0 at a site.*set l2_weight to 0"):
        Distance(1.0, torch.zeros(1, 2, 3))


def test_the_sum_is_weighted_and_the_effect_is_not():
    prior, prompt = torch.tensor(draw(SHAPES[0])), torch.tensor(draw(SHAPES[0], 5))
    both = [Distance(2.0, prior), Spread(0.5)]
    expected = 2 * float(both[0].penalty(prompt)) + 0.5 * float(both[1].penalty(prompt))
    assert float(weighted(both, prompt)) == pytest.approx(expected)
    found = effects(both, prior, prompt)
    assert found["l2"] == {"weight": 2.0, "start": 0.0, "end": pytest.approx(float(both[0].penalty(prompt)))}
    assert set(found) == {"l2", "spread"}
    json.dumps(found)


WEIGHTS = {"l2": 3.0, "log_prior": 3.0, "repulsion": 10.0, "attraction": 1.0, "spread": 1.0}


@pytest.mark.parametrize("name", WEIGHTS)
def test_a_weight_pushes_the_posterior_the_way_it_says(name, store, tiny_folder, sums):
    """Beside the same run without the weight, whose penalty at its end is measured by the same regulariser."""
    settings = {
        "steps": 12,
        "evaluate_every": 12,
        "n_generation": 0,
        "prior": {"kind": "gaussian"},
        "learning_rate": 0.01,
    }
    free, _ = run(spec_of(tiny_folder, sums, **settings), store, "t-free")
    spec = spec_of(tiny_folder, sums, **settings, **{f"{name}_weight": WEIGHTS[name]})
    held, result = run(spec, store, "t-held")

    (effect,) = result["regularisers"].values()
    assert list(result["regularisers"]) == [name]
    unheld = penalty_of(spec, store, free)
    assert effect["end"] == pytest.approx(penalty_of(spec, store, held), rel=1e-5)
    assert effect["end"] < unheld
    if name not in ("l2", "log_prior"):  # those two can only be at their least at the start, or near it
        assert effect["end"] < effect["start"]


def penalty_of(spec, store, job):
    """Return the penalty of a run's posterior by the regulariser of another run's spec."""
    from core.activations.capture import capture
    from core.activations.vocabulary import vocabulary_cloud
    from core.priors import build_prior
    from core.specs import ModelSpec

    def get(needed):
        return vocabulary_cloud(needed, store) if isinstance(needed, ModelSpec) else capture(needed, store)[0]

    def priors():
        cloud = get(spec.model)
        return [build_prior(spec.prior).fit(cloud.points(0), cloud.moments(0))]

    prior, posterior = (
        torch.from_numpy(read_prompt(job.path / f"{name}.safetensors")[1]) for name in ("prior", "posterior")
    )
    (regulariser,) = build_regularisers(Ground(spec, (0,), prior, priors, get, CPU))
    return float(regulariser.penalty(posterior))


def test_a_cancelled_run_with_every_weight_goes_on_to_the_very_same_numbers(store, tiny_folder, sums):
    weights = {f"{name}_weight": weight for name, weight in WEIGHTS.items()}
    spec = spec_of(tiny_folder, sums, prior={"kind": "gaussian"}, n_generation=0, **weights)
    undisturbed, expected = run(spec, store, "t-1")
    job = create_job(store, "tune", spec.as_json(), "t-2")

    def stop(done, total, message=""):
        if message.startswith("Step 5 ") and not list(job.events(event="resumed")):
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        tune(spec, job, store, stop)
    result = tune(spec, job, store, stop)
    assert result["regularisers"] == expected["regularisers"]
    assert set(result["regularisers"]) == set(WEIGHTS)
    columns = ["step", "loss", "gradient_norm", "penalty"]
    one, two = (pd.read_parquet(each.path / "metrics.parquet", columns=columns) for each in (undisturbed, job))
    pd.testing.assert_frame_equal(one, two, check_exact=True)
    assert one["penalty"].to_numpy()[1:].all()
    assert [event["penalty"] for event in undisturbed.events(event="step")] == one["penalty"][1:].tolist()
    first, second = (load_file(each.path / "posterior.safetensors")["prompt"] for each in (undisturbed, job))
    assert np.array_equal(first, second)


def test_without_weights_there_is_no_penalty_and_nothing_of_it_in_the_result(store, tiny_folder, sums):
    job, result = run(spec_of(tiny_folder, sums, n_generation=0), store)
    assert "regularisers" not in result
    assert not pd.read_parquet(job.path / "metrics.parquet")["penalty"].to_numpy()[1:].any()


def test_a_checkpoint_from_before_there_were_penalties_is_gone_on_from(store, tiny_folder, sums):
    spec = spec_of(tiny_folder, sums, n_generation=0)
    job, expected = run(spec, store)
    path = job.path / "checkpoint" / "state.safetensors"
    with safe_open(path, "np") as file:
        notes = json.loads(file.metadata()["priorscope"])
    notes.pop(DIGEST)  # nor were there checksums
    metadata = {"priorscope": json.dumps(notes)}
    tensors = load_file(path)
    save_file({**tensors, "metrics": np.ascontiguousarray(tensors["metrics"][:, :4])}, path, metadata)
    assert tune(spec, job, store)["validation"] == expected["validation"]
    assert len(list(job.events(event="resumed"))) == 1
    assert not pd.read_parquet(job.path / "metrics.parquet")["penalty"].to_numpy()[1:].any()


def test_a_penalty_that_is_not_finite_stops_the_run(store, tiny_folder, sums, monkeypatch):
    monkeypatch.setattr(Spread, "penalty", lambda self, prompt: prompt.sum() * float("nan"))
    with pytest.raises(Diverged, match=r"The penalty is nan at step 1 of 6.*or smaller weights"):
        run(spec_of(tiny_folder, sums, spread_weight=1.0), store)
