"""Where earlier runs ended: a posterior as the next prior."""

import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import BeforeValidator, Field

from core.array_types import Float32s, Float64s, Floats
from core.errors import BadRequest
from core.fits.moments import Moments, Reference
from core.priors.base import Prior, check_further, check_points, scale_facts
from core.priors.covariance import CovarianceField, GaussianFit, RankField, fit_gaussian
from core.priors.rows import draw_rows, rows_spread
from core.specs.base import JsonObject
from core.specs.prior import Further, PriorSpec, RunPosterior


def run_list(value: Any) -> Any:
    """Return run ids separated by one space, each once, from a text with commas or spaces, or from a list."""
    words = value if isinstance(value, list | tuple) else re.split(r"[\s,]+", value) if isinstance(value, str) else None
    if words is None or not all(isinstance(word, str) for word in words):
        return value
    return " ".join(dict.fromkeys(word for word in words if word))


class PosteriorSpec(PriorSpec, frozen=True):
    """The prompt vectors that earlier runs ended with."""

    title = "Posterior"
    summary = "Where earlier runs ended: exactly, vector by vector, or a Gaussian over several runs."
    differentiable = ("draw", "gaussian")

    kind: Literal["posterior"] = "posterior"
    runs: Annotated[str, BeforeValidator(run_list)] = Field(default="", title="Runs")
    """Ids of finished runs of the same model, separated by spaces or commas."""
    draw: Literal["exact", "rows", "gaussian"] = Field(default="exact", title="Draw")
    """exact: the vectors of one run, all of them in order; rows: vectors of the runs at random,
    none twice while they last; gaussian: from a Gaussian fitted on the vectors of all runs."""
    covariance: CovarianceField = "empirical"
    rank: RankField = 32

    def further(self) -> tuple[Further, ...]:
        """Return the posterior of each run."""
        return tuple(RunPosterior(run) for run in self.runs.split())


class Posterior(Prior[PosteriorSpec]):
    """An earlier run's prompt, or a Gaussian over several.

    Source: 5 of the paper (posteriors as priors of later tasks).
    """

    spec_class = PosteriorSpec
    rows_: Floats
    fit_: GaussianFit | None = None
    names_: list[str]

    def fit(self, points: Floats, moments: Moments | None = None, further: Sequence[Reference] = ()) -> Self:
        """Take the vectors of `further`, one run each; of points (n, d) only the width counts.

        Raises:
            BadRequest: no run, several for 'exact', one of another width, or see `fit_gaussian`.
        """
        spec, runs = self.spec, self.spec.runs.split()
        if not runs or (spec.draw == "exact" and len(runs) > 1):
            raise BadRequest(
                f"The posterior prior is given {len(runs)} runs but 'exact' takes one, the others one or more; name "
                "them in `runs` (`python -m core runs list` shows them)."
            )
        further = check_further(spec, further, points.shape[1])
        self.rows_ = check_points(np.concatenate([reference.points for reference in further]), least=1)
        self.names_ = [reference.name for reference in further]
        self.d_model_ = points.shape[1]
        self.fit_ = fit_gaussian(self.rows_, None, spec.covariance, spec.rank) if spec.draw == "gaussian" else None
        return self

    def sample(self, n: int, rng: np.random.Generator) -> Float32s:
        """Draw n vectors: (n, d).

        Raises:
            BadRequest: 'exact' and another number of vectors than the run has.
        """
        if self.fit_:
            return self.fit_.colour(rng.standard_normal((n, self.fit_.dim)))
        have = len(self.rows_)
        if self.spec.draw == "rows":
            return draw_rows(self.rows_, n, rng)
        if n != have:
            raise BadRequest(
                f"{n} vectors are asked for but the posterior of {self.names_[0]} has {have}; ask for {have}, or draw "
                "'rows' or 'gaussian'."
            )
        return self.rows_.astype(np.float32)

    def log_prob(self, x: Any) -> Any:
        """Return the log density (n,) of rows (n, d) for 'gaussian'; single points have none."""
        return self.fit_.density(x) if self.fit_ else None

    def spread(self, n: int) -> tuple[Float64s, float]:
        """Return the mean (d,) and the total variance of the vectors, or of the Gaussian."""
        if self.fit_:
            return self.fit_.mean, float(self.fit_.variances.sum())
        return rows_spread(self.rows_)

    def report(self) -> JsonObject:
        """Return which runs, how many vectors, and their scale."""
        facts = {
            "runs": self.names_,
            "draw": self.spec.draw,
            "n_vectors": len(self.rows_),
            "d_model": self.d_model_,
            **scale_facts(*self.spread(1)),
        }
        return facts | self.fit_.facts if self.fit_ else facts
