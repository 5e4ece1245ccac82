"""Trajectories of texts: how long their steps are, how far they spread, whether they drift, against nulls.

Everything is measured in the full space. A t-SNE map keeps only neighbourhoods, so lengths on it mean nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.analysis.definitions import Definition
from core.analysis.intervals import bootstrap, spread
from core.array_types import Float64s, Floats, Int64s, Ints
from core.errors import BadRequest

STATISTICS = ("step", "gyration", "exponent")
"""What is measured of a trajectory, see `trajectory_statistics`."""
SHUFFLED, UNIGRAM, UNIFORM = "order shuffled", "unigram draw", "uniform draw"
NULLS = (SHUFFLED, UNIGRAM, UNIFORM)
DEFINITIONS: dict[str, Definition] = {
    "step": Definition("step length", "Mean distance from each token to the next, in the full space."),
    "gyration": Definition(
        "radius of gyration",
        "Root of the mean squared distance of a text's tokens from their mean, in the full space: the standard "
        "deviation of the trajectory. The order of the tokens does not matter.",
    ),
    "exponent": Definition(
        "displacement exponent",
        "Slope of log mean squared displacement over log lag, for lags from 1 to a quarter of the text. 0: jumps "
        "within one region, like independent draws; 1: drifts like a random walk; 2: a straight line.",
    ),
    SHUFFLED: Definition(SHUFFLED, "The same tokens in random order. The difference is the effect of the order."),
    UNIGRAM: Definition(
        UNIGRAM,
        "The same number of tokens at this site, drawn by their frequency in the data set. The difference is the "
        "effect of being a text.",
    ),
    UNIFORM: Definition(
        UNIFORM,
        "The same number of tokens, each type with equal probability: at site 0 from the vocabulary, at other sites "
        "from the types in the data set, one random occurrence of each.",
    ),
}
"""Definitions of the statistics and their nulls."""
SHORTEST = 4
"""Points of the shortest trajectory that has an exponent: two lags, the longer one with two pairs."""
N_LAGS = 12
_BLOCK_VALUES = 4_000_000

Draw = Callable[[int], Floats]
"""Returns a number of trajectories of a null, (n_draws, n, d)."""


def trajectory_lags(n_points: int) -> Int64s:
    """Return the lags of the exponent: 1 to a quarter of the trajectory, at least 2, evenly on a log scale.

    Longer lags have few pairs, which overlap. At most `N_LAGS`.
    """
    return np.unique(np.geomspace(1, max(2, n_points // 4), N_LAGS).round().astype(np.int64))


def squared_displacement(paths: Floats, lags: Ints) -> Float64s:
    """Return the mean squared distance (…, n_lags) of points `lag` steps apart, for trajectories (…, n, d)."""
    found = [_squares(paths[..., lag:, :] - paths[..., :-lag, :]).mean(axis=-1) for lag in lags]
    return np.stack(found, axis=-1).astype(np.float64)


def _squares(vectors: Floats) -> Floats:
    """Return squared lengths (…), without a copy of the vectors (…, d)."""
    return np.einsum("...d,...d->...", vectors, vectors)


def trajectory_statistics(paths: Floats) -> dict[str, Float64s]:
    """Return the `STATISTICS` of trajectories (…, n, d), each (…); NaN if a trajectory is too short.

    step: mean Euclidean length of a step.
    gyration: root of the mean squared distance from the trajectory's mean, the paper's standard deviation
        of a trajectory. It does not depend on the order.
    exponent: slope of the logarithm of the mean squared displacement over the logarithm of the lag,
        by least squares over `trajectory_lags`. 0: jumps within a region, like independent draws;
        1: drifts like a random walk with independent steps; 2: a straight line.

    Source: 4.1 of the paper (spread of token trajectories).
    Deviation: step length and exponent are ours.
    """
    paths = np.asarray(paths)
    n, leading = paths.shape[-2], paths.shape[:-2]
    found = {name: np.full(leading, np.nan) for name in STATISTICS}
    if n >= 2:
        found["step"] = np.sqrt(_squares(paths[..., 1:, :] - paths[..., :-1, :])).mean(axis=-1, dtype=np.float64)
        centred = paths - paths.mean(axis=-2, keepdims=True)
        found["gyration"] = np.sqrt(_squares(centred).mean(axis=-1, dtype=np.float64))
    if n >= SHORTEST:
        lags = trajectory_lags(n)
        displacement = squared_displacement(paths, lags)
        usable = np.asarray((displacement > 0).all(axis=-1))
        logs = np.log(np.where(usable[..., None], displacement, 1.0))
        across = np.log(lags) - np.log(lags).mean()
        found["exponent"] = np.where(usable, logs @ across / (across**2).sum(), np.nan)
    return found


@dataclass(frozen=True)
class Pool:
    """The points that nulls are drawn from: tokens of many documents at one site.

    Attributes:
        points: (m, d).
        types: (m,) token ids.
        groups: (m,) unit of independence of each point; the nulls of a document leave out its own unit.
    """

    points: Floats
    types: Ints
    groups: Ints | None = None

    def unigram(self, n: int, rng: np.random.Generator, own: int | None = None) -> Draw:
        """Return draws of n tokens, each occurrence equally likely: the unigram distribution of the data."""
        return self._drawer(lambda size: rng.integers(len(self.points), size=size), n, own)

    def uniform(self, n: int, rng: np.random.Generator, own: int | None = None) -> Draw:
        """Return draws of n tokens: a type, each equally likely, and one of its occurrences, likewise."""
        order = np.argsort(self.types, kind="stable")
        _, starts, counts = np.unique(self.types[order], return_index=True, return_counts=True)

        def indices(size: tuple[int, ...]) -> Ints:
            kind = rng.integers(len(starts), size=size)
            return order[starts[kind] + rng.integers(counts[kind])]

        return self._drawer(indices, n, own)

    def _drawer(self, indices: Callable[[tuple[int, ...]], Ints], n: int, own: int | None) -> Draw:
        if own is not None and (self.groups is None or bool((self.groups == own).all())):
            raise BadRequest(
                "Nulls of a document need the tokens of other documents, and there are none; give at least 2 documents."
            )

        def draw(n_draws: int) -> Floats:
            chosen = indices((n_draws, n))
            while own is not None and self.groups is not None and (mine := self.groups[chosen] == own).any():
                chosen[mine] = indices((int(mine.sum()),))
            return self.points[chosen]

        return draw


def shuffles(path: Floats, rng: np.random.Generator) -> Draw:
    """Return draws of a trajectory (n, d) with its points in random order."""

    def draw(n_draws: int) -> Floats:
        return path[rng.permuted(np.tile(np.arange(len(path)), (n_draws, 1)), axis=1)]

    return draw


@dataclass(frozen=True)
class TrajectoryNumbers:
    """The statistics of one trajectory, and of its null samples.

    Attributes:
        n_points: of the trajectory.
        values: by statistic.
        nulls: null → statistic → (n_draws,).
    """

    n_points: int
    values: dict[str, float]
    nulls: dict[str, dict[str, Float64s]]


def measure_trajectory(path: Floats, nulls: Mapping[str, Draw], n_draws: int) -> TrajectoryNumbers:
    """Measure a trajectory (n, d) and draws of each null; a single point has no nulls."""
    values = {name: float(value) for name, value in trajectory_statistics(path).items()}
    found = {name: _drawn(draw, path.size, n_draws) for name, draw in nulls.items() if len(path) > 1}
    return TrajectoryNumbers(len(path), values, found)


def _drawn(draw: Draw, size: int, n_draws: int) -> dict[str, Float64s]:
    step = max(1, _BLOCK_VALUES // size)
    blocks = [trajectory_statistics(draw(min(step, n_draws - begin))) for begin in range(0, n_draws, step)]
    return {name: np.concatenate([block[name] for block in blocks]) for name in STATISTICS}


def comparable(null: str, statistic: str) -> bool:
    """Return whether a null is informative: order does not change the radius of gyration."""
    return (null, statistic) != (SHUFFLED, "gyration")


def text_table(numbers: TrajectoryNumbers) -> pd.DataFrame:
    """Return one text's statistics beside each null, one row per statistic and null.

    Columns: statistic, n_points, value, null; median, low, high (central 95 %) of the null's draws; p (`two_sided`).
    """
    rows = []
    for statistic, value in numbers.values.items():
        for null, draws in numbers.nulls.items():
            if comparable(null, statistic) and np.isfinite(value):
                band = spread(draws[statistic])
                rows.append(
                    {
                        "statistic": statistic,
                        "n_points": numbers.n_points,
                        "value": value,
                        "null": null,
                        "median": band.value,
                        "low": band.low,
                        "high": band.high,
                        "p": two_sided(value, draws[statistic]),
                    }
                )
    columns = ["statistic", "n_points", "value", "null", "median", "low", "high", "p"]
    return pd.DataFrame(rows, columns=columns)


def two_sided(observed: float, null: Floats) -> float:
    """Return twice the smaller share of null draws at least as extreme on one side, the observation included."""
    tie = 1e-6 * max(abs(observed), float(np.abs(null).max(initial=0)))
    below, above = (null <= observed + tie).sum(), (null >= observed - tie).sum()
    return float(min(1.0, 2 * (1 + min(below, above)) / (1 + len(null))))


def documents_table(
    measured: Sequence[TrajectoryNumbers], groups: Sequence[int], rng: np.random.Generator
) -> pd.DataFrame:
    """Return the statistics of many documents: one row per statistic (null empty), one per statistic and null.

    Beside a null, a document counts by its ratio to the mean of its own null draws; for the exponent, whose null is
    about 0, by the difference. Documents of one group are averaged first, because they are not independent.

    Columns: statistic, null, of ('value', 'ratio', 'difference'), value, low, high (bootstrap 95 % over groups),
    null_low, null_high (central 95 % of the same mean for draws of the null), share_below (share of documents below
    the mean of their null), n_documents, n_groups.

    Raises:
        BadRequest: fewer than two groups.
    """
    units = np.asarray(groups)
    if len(np.unique(units)) < 2:
        raise BadRequest(
            f"{len(measured)} documents of {len(np.unique(units))} group have no interval; give at least 2 groups."
        )
    rows = []
    for statistic in STATISTICS:
        values = np.array([numbers.values[statistic] for numbers in measured])
        rows.append(_row(statistic, "", "value", values, None, units, rng))
        for null in NULLS:
            draws = [numbers.nulls.get(null) for numbers in measured]
            if comparable(null, statistic) and all(drawn is not None for drawn in draws):
                table = np.array([drawn[statistic] for drawn in draws if drawn is not None])
                rows.append(_against(statistic, null, values, table, units, rng))
    return pd.DataFrame(rows)


def _against(
    statistic: str, null: str, values: Float64s, draws: Float64s, units: Ints, rng: np.random.Generator
) -> dict[str, object]:
    centre = draws.mean(axis=1)
    if statistic == "exponent":
        return _row(statistic, null, "difference", values - centre, draws - centre[:, None], units, rng)
    return _row(statistic, null, "ratio", values / centre, draws / centre[:, None], units, rng)


def _row(
    statistic: str, null: str, of: str, values: Float64s, draws: Float64s | None, units: Ints, rng: np.random.Generator
) -> dict[str, object]:
    usable = np.isfinite(values) if draws is None else np.isfinite(values) & np.isfinite(draws).all(axis=1)
    by_group = _group_means(values[usable], units[usable])
    known = len(by_group) > 0
    interval = bootstrap(by_group, rng) if known else None
    band = None if draws is None or not known else spread(_group_means(draws[usable], units[usable]).mean(axis=0))
    expected = 0.0 if of == "difference" else 1.0
    return {
        "statistic": statistic,
        "null": null,
        "of": of,
        "value": interval.value if interval else np.nan,
        "low": interval.low if interval else np.nan,
        "high": interval.high if interval else np.nan,
        "null_low": band.low if band else np.nan,
        "null_high": band.high if band else np.nan,
        "share_below": float((values[usable] < expected).mean()) if band else np.nan,
        "n_documents": int(usable.sum()),
        "n_groups": len(by_group),
    }


def _group_means(values: Float64s, units: Ints) -> Float64s:
    """Return the mean over the rows of each group, (n_groups, …)."""
    _, inverse = np.unique(units, return_inverse=True)
    counts = np.bincount(inverse)
    sums = np.zeros((len(counts), *values.shape[1:]))
    np.add.at(sums, inverse, values)
    return sums / counts.reshape(-1, *[1] * (values.ndim - 1))
