import numpy as np
import pytest

from core.analysis.intervals import bootstrap
from core.analysis.trajectory_statistics import (
    NULLS,
    SHUFFLED,
    UNIFORM,
    UNIGRAM,
    Pool,
    TrajectoryNumbers,
    documents_table,
    measure_trajectory,
    shuffles,
    squared_displacement,
    text_table,
    trajectory_lags,
    trajectory_statistics,
    two_sided,
)
from core.errors import BadRequest

N = 40


def line(n: int = N, d: int = 3, step: float = 2.0) -> np.ndarray:
    """Return points on a line, `step` apart."""
    direction = np.ones(d) / np.sqrt(d)
    return step * np.arange(n)[:, None] * direction


def jumps(n: int = N) -> np.ndarray:
    """Return points at right angles: all distances are equal, as independent draws have them in expectation."""
    return np.eye(n)


def walk(n: int = N) -> np.ndarray:
    """Return a walk whose steps are at right angles: squared distance equals lag, a random walk's expectation."""
    return np.cumsum(np.eye(n), axis=0)


@pytest.mark.parametrize(
    ("path", "step", "gyration", "exponent"),
    [
        (line(), 2.0, 2.0 * np.sqrt((N**2 - 1) / 12), 2.0),
        (jumps(), np.sqrt(2), np.sqrt(1 - 1 / N), 0.0),
        (walk(), 1.0, np.sqrt((N**2 - 1) / (6 * N)), 1.0),
    ],
)
def test_closed_forms(path, step, gyration, exponent):
    found = trajectory_statistics(path)
    assert found["step"] == pytest.approx(step)
    assert found["gyration"] == pytest.approx(gyration)
    assert found["exponent"] == pytest.approx(exponent, abs=1e-9)


def test_the_exponent_is_numpys_line_through_the_logarithms():
    path = np.random.default_rng(0).normal(size=(60, 5)).cumsum(axis=0) ** 2
    lags = trajectory_lags(60)
    direct = [np.mean([np.sum((path[i + lag] - path[i]) ** 2) for i in range(60 - lag)]) for lag in lags]
    assert squared_displacement(path, lags) == pytest.approx(np.array(direct))
    assert trajectory_statistics(path)["exponent"] == pytest.approx(np.polyfit(np.log(lags), np.log(direct), 1)[0])


def test_the_radius_of_gyration_is_the_root_of_the_total_variance():
    path = np.random.default_rng(0).normal(size=(30, 7))
    assert trajectory_statistics(path)["gyration"] ** 2 == pytest.approx(np.cov(path.T, bias=True).trace())


def test_turning_and_shifting_a_path_changes_nothing_and_stretching_scales_it():
    rng = np.random.default_rng(1)
    path = rng.normal(size=(N, 6))
    turned = path @ np.linalg.qr(rng.normal(size=(6, 6)))[0] + 5
    before, after = trajectory_statistics(path), trajectory_statistics(turned)
    assert all(after[name] == pytest.approx(before[name]) for name in before)
    stretched = trajectory_statistics(3 * path)
    assert stretched["step"] == pytest.approx(3 * before["step"])
    assert stretched["gyration"] == pytest.approx(3 * before["gyration"])
    assert stretched["exponent"] == pytest.approx(before["exponent"])
    backwards = trajectory_statistics(path[::-1])
    assert all(backwards[name] == pytest.approx(before[name]) for name in before)


def test_many_paths_at_once_are_each_alone():
    paths = np.random.default_rng(2).normal(size=(3, 4, N, 5))
    together = trajectory_statistics(paths)
    for i, j in np.ndindex(3, 4):
        alone = trajectory_statistics(paths[i, j])
        assert all(together[name][i, j] == pytest.approx(alone[name]) for name in alone)


def test_short_paths_have_no_number_they_cannot_have():
    one, two, three = (trajectory_statistics(line(n)) for n in (1, 2, 3))
    assert all(np.isnan(value) for value in one.values())
    assert two["step"] == pytest.approx(2)
    assert two["gyration"] == pytest.approx(1)
    assert np.isnan(three["exponent"])
    assert trajectory_statistics(line(4))["exponent"] == pytest.approx(2)
    assert np.isnan(trajectory_statistics(np.ones((N, 3)))["exponent"])


def test_lags_go_to_a_quarter_of_the_path():
    assert trajectory_lags(4).tolist() == [1, 2]
    assert trajectory_lags(16).tolist() == [1, 2, 3, 4]
    assert trajectory_lags(400)[[0, -1]].tolist() == [1, 100]
    assert len(trajectory_lags(100_000)) == 12


def pool(n_documents: int = 6, n: int = 30) -> Pool:
    """Return a pool whose points say their row, type and group; type 0 is half of all tokens."""
    types = np.where(np.arange(n_documents * n) % 2 == 0, 0, np.arange(n_documents * n) % 7 + 1)
    groups = np.repeat(np.arange(n_documents), n)
    return Pool(np.stack([types, groups], axis=1).astype(float), types, groups)


def test_nulls_follow_their_laws():
    rng = np.random.default_rng(0)
    drawn = pool().unigram(500, rng)(40)
    assert drawn.shape == (40, 500, 2)
    assert (drawn[..., 0] == 0).mean() == pytest.approx(0.5, abs=0.02)
    uniform = pool().uniform(500, rng)(40)
    shares = np.bincount(uniform[..., 0].astype(int).ravel()) / uniform[..., 0].size
    assert shares == pytest.approx(np.full(8, 1 / 8), abs=0.02)
    path = np.arange(10.0)[:, None]
    orders = shuffles(path, rng)(50)
    assert (np.sort(orders[..., 0], axis=1) == np.arange(10)).all()
    assert len({tuple(order) for order in orders[..., 0]}) > 40


@pytest.mark.parametrize("law", ["unigram", "uniform"])
def test_nulls_of_a_document_leave_its_own_tokens_out(law):
    rng = np.random.default_rng(0)
    drawn = getattr(pool(), law)(200, rng, own=3)(20)
    assert set(np.unique(drawn[..., 1])) == {0, 1, 2, 4, 5}
    alone = Pool(np.zeros((5, 2)), np.zeros(5, int), np.zeros(5, int))
    with pytest.raises(BadRequest, match="there are none; give at least 2 documents"):
        getattr(alone, law)(3, rng, own=0)


def test_a_text_that_is_a_null_draw_is_ordinary_and_a_drifting_one_is_not():
    rng = np.random.default_rng(3)
    cloud = Pool(rng.normal(size=(2000, 8)), np.arange(2000))

    def table(path):
        nulls = {SHUFFLED: shuffles(path, rng), UNIGRAM: cloud.unigram(len(path), rng)}
        return text_table(measure_trajectory(path, nulls, 199)).set_index(["statistic", "null"])

    ordinary = table(cloud.unigram(N, rng)(1)[0])
    assert (SHUFFLED in ordinary.loc["gyration"].index) is False
    assert min(ordinary["p"]) > 0.02
    drifting = table(rng.normal(size=(N, 8)).cumsum(axis=0) / 4)
    assert drifting.loc[("exponent", SHUFFLED), "p"] == pytest.approx(0.01)
    assert drifting.loc[("step", SHUFFLED), "value"] < drifting.loc[("step", SHUFFLED), "low"]
    ordered = drifting[["low", "median", "high"]].to_numpy()
    assert (np.diff(ordered, axis=1) >= 0).all()


def test_a_text_of_one_token_has_an_empty_table():
    rng = np.random.default_rng(0)
    path = np.ones((1, 3))
    assert text_table(measure_trajectory(path, {SHUFFLED: shuffles(path, rng)}, 9)).empty


def test_two_sided_p():
    null = np.arange(1.0, 100)
    assert two_sided(50, null) == 1
    assert two_sided(0, null) == pytest.approx(2 / 100)
    assert two_sided(200, null) == pytest.approx(2 / 100)
    assert two_sided(2, null) == pytest.approx(2 * 3 / 100)


def measured(values: np.ndarray, rng: np.random.Generator, n_draws: int = 30) -> list[TrajectoryNumbers]:
    found = []
    for value in values:
        draws = {
            name: {s: 1 + 0.1 * rng.normal(size=n_draws) for s in ("step", "gyration", "exponent")} for name in NULLS
        }
        found.append(TrajectoryNumbers(20, {"step": value, "gyration": value, "exponent": value}, draws))
    return found


def test_documents_are_told_by_their_ratio_to_their_own_nulls():
    rng = np.random.default_rng(0)
    values = 0.8 + 0.05 * rng.normal(size=60)
    numbers = measured(values, rng)
    table = documents_table(numbers, list(range(60)), np.random.default_rng(1)).set_index(["statistic", "null"])
    ratios = values / [n.nulls[UNIFORM]["step"].mean() for n in numbers]
    expected = bootstrap(ratios, np.random.default_rng(5))
    row = table.loc[("step", UNIFORM)]
    assert row["of"] == "ratio"
    assert row["value"] == pytest.approx(ratios.mean())
    assert [row["low"], row["high"]] == pytest.approx([expected.low, expected.high], abs=0.005)
    assert row["null_low"] < 1 < row["null_high"]
    assert row["high"] < row["null_low"]
    assert row["share_below"] == (ratios < 1).mean()
    assert table.loc[("exponent", SHUFFLED), "of"] == "difference"
    assert table.loc[("exponent", SHUFFLED), "value"] == pytest.approx(-0.2, abs=0.02)
    assert table.loc[("step", ""), "value"] == pytest.approx(values.mean())
    assert ("gyration", SHUFFLED) not in table.index


def test_documents_of_one_group_count_once():
    rng = np.random.default_rng(0)
    values = np.array([1.0, 1.0, 1.0, 1.0, 4.0])
    table = documents_table(measured(values, rng), [0, 0, 0, 0, 1], rng).set_index(["statistic", "null"])
    assert table.loc[("step", ""), "value"] == 2.5
    assert table.loc[("step", ""), ["n_documents", "n_groups"]].tolist() == [5, 2]
    with pytest.raises(BadRequest, match="5 documents of 1 group have no interval; give at least 2 groups"):
        documents_table(measured(values, rng), [7] * 5, rng)


def test_documents_without_an_exponent_do_not_count_for_it():
    rng = np.random.default_rng(0)
    numbers = measured(np.ones(5), rng)
    numbers[2].values["exponent"] = np.nan
    table = documents_table(numbers, list(range(5)), rng).set_index(["statistic", "null"])
    assert table.loc[("exponent", UNIGRAM), "n_documents"] == 4
    assert table.loc[("step", UNIGRAM), "n_documents"] == 5
