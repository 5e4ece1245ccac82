import json

import numpy as np
import pytest
from scipy import stats
from sklearn.decomposition import PCA

from core.errors import BadRequest, Diverged
from core.fits import training
from core.fits.autoencoder import divergence
from core.priors.vae import Vae, VaeSpec
from tests.imports import imported_by
from tests.unit.priors.test_gaussian import cloud

NARROW = {"noise": "fixed", "noise_std": 0.2, "steps": 1500}
QUICK = {"d_hidden": 32, "d_latent": 4, "steps": 400, "warmup_steps": 50, "learning_rate": 3e-3}


def make(points: np.ndarray, **parameters) -> Vae:
    return Vae(VaeSpec.parse(QUICK | parameters)).fit(points)


@pytest.fixture(scope="module")
def plane() -> np.ndarray:
    """Return a cloud of which two dimensions hold 99.8 % of the variance."""
    rng = np.random.default_rng(0)
    points = rng.standard_normal((800, 2)) @ rng.standard_normal((2, 16)) + 0.03 * rng.standard_normal((800, 16)) + 7
    return points.astype(np.float32)


@pytest.fixture(scope="module")
def fitted(plane: np.ndarray) -> Vae:
    return make(plane, **NARROW)


def test_rebuilds_a_plane_with_the_units_it_needs(fitted: Vae):
    report = json.loads(json.dumps(fitted.report()))
    errors = report["reconstruction_error"]
    assert errors["principal_components_of_the_same_width"] < errors["vae"] < 0.05
    assert report["active_units"] == {"vae": 2, "of": 4, "rank_of_the_data": 16}
    units = report["kl_a_unit_nats"]
    assert units[1] > 1 > 0.1 > units[2]
    assert report["kl_nats"] == pytest.approx(sum(units))
    assert report["points_trained_on"] + report["points_to_stop_by"] + report["points_held_out"] == 800


def test_samples_are_spread_as_the_data(fitted: Vae, plane: np.ndarray):
    sample = fitted.sample(4000, np.random.default_rng(0))
    assert sample.dtype == np.float32
    np.testing.assert_allclose(sample.mean(axis=0), plane.mean(axis=0), atol=0.3)
    spread = fitted.report()["spread"]["total_variance"]
    assert spread["samples"] == pytest.approx(sample.var(axis=0).sum(), rel=0.05)
    assert spread["data"] == pytest.approx(plane.var(axis=0).sum(), rel=0.3)
    assert 0.6 < spread["ratio"] < 1.4


def test_a_heavy_divergence_collapses_and_the_report_shows_it(plane: np.ndarray):
    report = make(plane, kl_weight=1000, noise="fixed").report()
    assert report["active_units"]["vae"] == 0
    assert report["spread"]["total_variance"]["ratio"] < 0.01
    assert report["reconstruction_error"]["vae"] == pytest.approx(1, abs=0.1)


def test_free_bits_and_least_code_spread_hold(plane: np.ndarray):
    freed = make(plane, kl_weight=1000, noise="fixed", free_bits=0.5, steps=800)
    assert freed.report()["kl_nats"] > 1
    held = make(plane, min_std=0.5)
    assert held.network_.encode(plane - held.mean_)[1].min() >= 0.5 * (1 - 1e-6)


def test_sampled_adds_the_residual_variance(plane: np.ndarray, fitted: Vae):
    sampled = make(plane, **NARROW, draw="sampled")
    difference = sampled.sample(2000, np.random.default_rng(0)) - fitted.sample(2000, np.random.default_rng(0))
    np.testing.assert_allclose(difference.std(axis=0), sampled.noise_ * sampled.unit_, rtol=0.1)


def test_seed_and_generator_decide_alone(plane: np.ndarray):
    samples = [make(plane, steps=20, seed=seed).sample(5, np.random.default_rng(1)) for seed in (0, 0, 1)]
    np.testing.assert_array_equal(samples[0], samples[1])
    assert not np.array_equal(samples[0], samples[2])


def test_training_ends_where_held_out_points_get_no_better():
    noise = np.random.default_rng(0).standard_normal((60, 16)).astype(np.float32)
    report = make(noise, steps=5000, patience=300, learning_rate=1e-2).report()
    steps = report["steps"]
    assert steps["at_most"] == 5000
    assert steps["taken"] == steps["weights_kept_of"] + 300 < 5000
    whole = make(noise, steps=500, patience=0, learning_rate=1e-2).report()
    assert whole["steps"] == {"taken": 500, "at_most": 500, "weights_kept_of": 500}
    assert whole["held_out_loss_a_coordinate"] > report["held_out_loss_a_coordinate"]


def test_the_best_linear_model_is_probabilistic_principal_components(plane: np.ndarray, fitted: Vae):
    pca = PCA(n_components=4).fit(plane)
    leading = pca.explained_variance_ - pca.noise_variance_
    expected = leading.sum() / (pca.explained_variance_.sum() + 12 * pca.noise_variance_)
    spread = fitted.report()["spread"]["total_variance"]
    assert spread["ratio_of_a_linear_model_of_the_same_width"] == pytest.approx(expected, rel=1e-4)


def test_divergence_is_that_of_two_normals():
    mean, std = np.array([[0.7]]), np.array([[0.4]])
    x = np.linspace(-8, 8, 20_001)
    ratio = stats.norm.logpdf(x, 0.7, 0.4) - stats.norm.logpdf(x)
    expected = np.trapezoid(stats.norm.pdf(x, 0.7, 0.4) * ratio, x)
    assert divergence(mean, std)[0, 0] == pytest.approx(expected, rel=1e-6)


def test_threads_are_given_back(plane: np.ndarray):
    import torch

    before = torch.get_num_threads()
    make(plane, steps=2)
    assert torch.get_num_threads() == before


def test_a_scale_far_from_one(plane: np.ndarray):
    sample = make(plane * np.float32(1e30), steps=5).sample(5, np.random.default_rng(0))
    assert np.isfinite(sample).all()
    assert np.abs(sample).max() > 1e29


def test_no_closed_density(fitted: Vae, plane: np.ndarray):
    assert fitted.log_prob(plane) is None


def test_importing_priors_leaves_torch_alone():
    assert not imported_by("core.priors.fitting") & {"torch", "transformers"}


def test_too_few_points():
    with pytest.raises(BadRequest, match=r"^7 points are too few to train a VAE on; give a cloud of at least 10\.$"):
        make(cloud(7, 3))


def test_a_loss_that_is_not_finite(plane: np.ndarray, monkeypatch: pytest.MonkeyPatch):
    train = training.train

    def spoilt(*arguments) -> training.Trained:
        trained = train(*arguments)
        trained.losses[-1] = np.nan
        return trained

    monkeypatch.setattr(training, "train", spoilt)
    with pytest.raises(Diverged, match=r"^The VAE's loss is not finite at learning rate 0\.003; choose a smaller one"):
        make(plane, steps=3)
