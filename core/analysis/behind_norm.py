"""Where a cut prompt lies as its block sees it: behind the norm of the block's input."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from core.analysis.cloud_places import SiteCloud, nearest_quantities, place_in_clouds, without_prior
from core.analysis.collapse import collapse, null_clouds
from core.analysis.quantities import Quantity


class BehindNorm(TypedDict):
    """The measures of a cut prompt behind the norm of its block's input, and in words which norm that is."""

    collapse: dict[str, Quantity]
    place: dict[str, dict[str, Quantity]]
    norm: str


@dataclass(frozen=True)
class InputNorm:
    """What a block sees of its input.

    Attributes:
        weight: (d,) of the root-mean-square norm; None: not known, so vectors are compared by
            direction alone.
        eps: of the norm.
    """

    weight: NDArray[np.floating] | None = None
    eps: float = 0.0

    @property
    def words(self) -> str:
        """Return which norm it is."""
        return "input norm of the block" if self.weight is not None else "unit root mean square"

    def apply(self, points: NDArray[np.floating]) -> NDArray[np.float32]:
        """Return points (n, d) over their root mean square, times the weight; a zero vector stays one."""
        squares = np.einsum("ij,ij->i", points, points) / points.shape[1] + self.eps
        unit = points * (1 / np.sqrt(np.where(squares > 0, squares, 1))).astype(np.float32)[:, None]
        return np.asarray(unit if self.weight is None else unit * self.weight.astype(np.float32), np.float32)


def measure_behind_norm(
    prior: NDArray[np.floating],
    posterior: NDArray[np.floating],
    rows: SiteCloud,
    clouds: Sequence[SiteCloud],
    rng: np.random.Generator,
    norm: InputNorm,
    begun: bool = True,
) -> BehindNorm:
    """Measure where a cut prompt lies as the block sees it: behind the norm of its input.

    Args:
        prior: (n_prompt, d) prior sample.
        posterior: (n_prompt, d).
        rows: see `measure_prompt`.
        clouds: see `measure_prompt`.
        rng: see `measure_prompt`.
        norm: of the block that the prompt is put before.
        begun: see `measure_prompt`.
    """
    prior, posterior = norm.apply(prior), norm.apply(posterior)
    rows, clouds = _behind(rows, norm), [_behind(cloud, norm) for cloud in clouds]
    nulls = null_clouds(posterior, rows.points, rng, rows_name=rows.name)
    near = collapse({"prior": prior, "posterior": posterior}, rows.points, nulls)
    found, (placed, _) = nearest_quantities(near), place_in_clouds(prior, posterior, clouds, rng)
    if not begun:
        found, placed = without_prior(found), {cloud: without_prior(measures) for cloud, measures in placed.items()}
    return {"collapse": found, "place": placed, "norm": norm.words}


def _behind(cloud: SiteCloud, norm: InputNorm) -> SiteCloud:
    return replace(cloud, points=norm.apply(cloud.points), moments=None)
