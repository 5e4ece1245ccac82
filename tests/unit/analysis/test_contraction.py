import numpy as np
import pytest

from core.analysis.contraction import RunDistances, contraction, distance, of_one_prior

SEEDS = range(6)


def groups(shift: float, rng: np.random.Generator, d: int = 8, n: int = 20) -> dict[str, dict[int, np.ndarray]]:
    """Return two priors whose vectors differ by a shift along the first axis."""
    away = np.zeros(d)
    away[0] = shift
    return {name: {s: rng.normal(size=(n, d)) + k * away for s in SEEDS} for k, name in enumerate("pq")}


def test_the_energy_of_runs_is_that_of_all_pairs_of_vectors_from_different_seeds():
    found = groups(1.0, np.random.default_rng(0), d=3, n=4)
    one, other = ([("p", s) for s in (0, 1)], [("q", s) for s in (0, 1)])

    def mean(first, second):
        return np.mean(
            [
                np.linalg.norm(x - y)
                for a in (0, 1)
                for b in (0, 1)
                if a != b
                for x in found[first][a]
                for y in found[second][b]
            ]
        )

    oracle = 2 * mean("p", "q") - mean("p", "p") - mean("q", "q")
    assert RunDistances(found).energy(one, other) == pytest.approx(oracle)


def test_the_energy_of_equal_laws_is_0_on_average_also_where_vectors_of_a_run_are_alike():
    rng = np.random.default_rng(1)
    found = []
    for _ in range(300):
        runs = {name: {s: rng.normal(size=(1, 4)) + 0.1 * rng.normal(size=(5, 4)) for s in range(4)} for name in "pq"}
        found.append(RunDistances(runs).energy([("p", s) for s in range(4)], [("q", s) for s in range(4)]))
    assert np.mean(found) == pytest.approx(0, abs=3 * np.std(found) / np.sqrt(300))


@pytest.mark.parametrize("kept", [1.0, 0.3, 0.0])
def test_contraction_is_the_share_of_the_distance_that_is_left(kept):
    rng = np.random.default_rng(2)
    before = RunDistances(groups(40.0, rng))
    after = RunDistances(groups(40.0 * kept, rng))
    # Far apart, the energy distance grows like the distance itself, and its root like the root.
    expected = np.sqrt(kept)
    assert contraction(before, after, [("p", "q")], list(SEEDS)) == pytest.approx(expected, abs=0.08)


def test_two_halves_of_one_prior_are_near_0_and_few_seeds_say_nothing():
    rng = np.random.default_rng(3)
    before, after = RunDistances(groups(40.0, rng)), RunDistances(groups(20.0, rng))
    assert of_one_prior(before, after, [("p", "q")], list(SEEDS)) < 0.1
    assert np.isnan(of_one_prior(before, after, [("p", "q")], [0, 1]))
    assert np.isnan(contraction(before, after, [("p", "q")], [0]))
    assert distance(-0.1) == 0
