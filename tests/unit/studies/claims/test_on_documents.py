import numpy as np
import pytest

from core.analysis.atlas_plan import N_BLOCKS
from core.analysis.modality import dip
from core.studies.claims import CLAIMS, domains, localised, shape, tasks_apart
from core.studies.claims.base import JACKKNIFE_FREEDOM
from tests.unit.studies.claims.planted import PlantedBench, atlas, quantity

BENCH = PlantedBench({})
NAMES = ("news", "squad", "sums")


def row(statistic, null, value, reach):
    found = {"statistic": statistic, "null": null, "value": value, "low": value - reach, "high": value + reach}
    return found | {"n_groups": 60, "n_documents": 60} | ({"null_low": 0.99, "null_high": 1.01} if null else {})


@pytest.mark.parametrize(
    ("walk", "above", "reach", "verdict"),
    [
        (0.95, 0.97, 0.01, "holds"),
        (1.1, 0.97, 0.01, "fails"),
        (0.5, 0.97, 0.01, "fails"),
        (0.95, 0.5, 0.01, "fails"),
        (0.99, 0.97, 0.02, "undecided"),
    ],
)
def test_paths_are_tighter_than_random_walks_but_not_localised(monkeypatch, walk, above, reach, verdict):
    def numbers(_bench, site):
        value = above if site else walk
        rows = [row("gyration", null, value, reach) for null in ("uniform draw", "unigram draw")]
        return [*rows, row("exponent", "", 0.1, 0.01)]

    monkeypatch.setattr(localised, "path_numbers", numbers)
    assert CLAIMS[1].judge(BENCH).verdict == verdict


@pytest.mark.parametrize(
    ("accuracy", "language", "reach", "verdict"),
    [
        (0.98, 0.02, 0.01, "holds"),
        (0.7, 0.02, 0.01, "fails"),
        (0.98, 0.4, 0.01, "fails"),
        (0.9, 0.02, 0.01, "undecided"),
        (0.98, 0.14, 0.05, "undecided"),
    ],
)
def test_arithmetic_has_a_cluster_of_its_own_and_language_shares_one(monkeypatch, accuracy, language, reach, verdict):
    def groups(_site):
        apart = quantity(accuracy, reach, 0.5)
        pairs = {"news / sums": apart, "sums / squad": apart, "news / squad": quantity(0.7, reach, 0.5)}
        energy = {
            "news / sums": quantity(0.3, reach),
            "sums / squad": quantity(0.4, reach),
            "news / squad": quantity(language, reach),
        }
        return {"separability": {"lda_accuracy": pairs, "energy": energy}}

    monkeypatch.setattr(domains, "three_domains", lambda _bench: atlas(NAMES, groups))
    assert CLAIMS[2].judge(BENCH).verdict == verdict


def test_a_ratio_covers_what_its_two_numbers_may_be():
    found = domains.ratio_of(quantity(0.1, 0.02), quantity(0.4, 0.1))
    assert found.value == pytest.approx(0.25)
    assert (found.low, found.high) == pytest.approx((0.08 / 0.5, 0.12 / 0.3))
    assert domains.ratio_of(quantity(-0.01, 0.02), quantity(0.4, 0.1)).low == 0
    assert np.isnan(domains.ratio_of(quantity(0.1, 0.02), quantity(0.01, 0.1)).low)


@pytest.mark.parametrize(
    ("largest", "n", "verdict"), [(0.02, 1000, "holds"), (0.15, 1000, "fails"), (0.045, 150, "undecided")]
)
def test_one_mode_is_a_bound_on_the_dip(monkeypatch, largest, n, verdict):
    def groups(site):
        return {"modality": {"dip": {"news": quantity(largest if site == 15 else 0.01, 0.005, 0.02)}}}

    monkeypatch.setattr(shape, "three_domains", lambda _bench: atlas(NAMES, groups, n=n))
    assert CLAIMS[3].judge(BENCH).verdict == verdict


@pytest.mark.parametrize(("apart", "law"), [(3.0, 0.0166), (4.0, 0.0463), (6.0, 0.0934)])
def test_the_dips_interval_covers_the_dip_of_the_law(apart, law):
    rng = np.random.default_rng(0)
    n, uniform = 150, 0.044
    drawn = [dip(rng.normal(size=n) + apart * (rng.random(n) < 0.5)) for _ in range(100)]
    found = [shape.dip_interval(value, uniform, n) for value in drawn]
    assert np.mean([one.low <= law <= one.high for one in found]) >= 0.95


@pytest.mark.parametrize(
    ("kurtosis", "inside", "verdict"),
    [(3.0, 0.7, "holds"), (0.0, 0.7, "fails"), (3.0, 0.95, "fails"), (0.5, 0.7, "undecided")],
)
def test_a_sharp_peak_is_missed_by_the_fitted_gaussian(monkeypatch, kurtosis, inside, verdict):
    def groups(_site):
        found = {
            "kurtosis_principal": {"squad": quantity(kurtosis, 0.2)},
            "mahalanobis_inside": {"squad": quantity(inside, 0.005, 0.95)},
        }
        return {"shape": found}

    monkeypatch.setattr(shape, "three_domains", lambda _bench: atlas(NAMES, groups))
    assert CLAIMS[4].judge(BENCH).verdict == verdict


def test_away_is_0_inside_the_range_of_the_null_and_has_no_sign():
    assert shape.away(quantity(0.5, 0.01, 0.5, 0.02)).high == 0
    below, above = shape.away(quantity(0.3, 0.01, 0.5, 0.02)), shape.away(quantity(0.7, 0.01, 0.5, 0.02))
    assert (below.value, below.low, below.high) == pytest.approx((0.18, 0.17, 0.19))
    assert above.value == pytest.approx(0.18)
    assert shape.away(quantity(0.53, 0.05, 0.5, 0.02)).low == 0


@pytest.mark.parametrize(("closest", "verdict"), [(0.97, "holds"), (0.6, "fails"), (0.9, "undecided")])
def test_one_pair_of_tasks_that_coincides_is_enough_to_fail(monkeypatch, closest, verdict):
    names = ("news", "math · arithmetic__mul", "math · arithmetic__div", "math · arithmetic__mixed")

    def groups(_site):
        pairs = {f"{one} / {other}": quantity(0.99, 0.005) for one in names for other in names}
        pairs["math · arithmetic__div / math · arithmetic__mixed"] = quantity(closest, 0.02)
        return {"separability": {"lda_accuracy": pairs, "energy": pairs}}

    monkeypatch.setattr(tasks_apart, "encoder_atlas", lambda _bench: atlas(names, groups, ["final"]))
    found = CLAIMS[13].judge(BENCH)
    assert found.verdict == verdict
    assert found.headline.name == "div / mixed"


def test_the_atlas_leaves_out_as_many_blocks_as_its_intervals_are_widened_for():
    assert JACKKNIFE_FREEDOM == N_BLOCKS - 1
