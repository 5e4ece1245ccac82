"""Priors whose fit takes long: what they learn is an artifact, made once and read by every draw."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self, TypeVar

from numpy.typing import NDArray

from core.array_types import Floats
from core.fits.moments import Moments, Reference
from core.priors.base import Prior
from core.progress import Progress, silent
from core.specs.base import JsonObject
from core.specs.prior import PriorSpec

S = TypeVar("S", bound=PriorSpec)


@dataclass(frozen=True)
class Learnt:
    """What a fit came to.

    Attributes:
        tensors: arrays by name; safetensors keeps them bit for bit.
        facts: the rest, JSON-able.
        share_done: of the estimated operations; less than 1 where a training ended early.
    """

    tensors: dict[str, NDArray[Any]]
    facts: JsonObject
    share_done: float = 1.0


class KeptPrior(Prior[S]):
    """A prior whose `fit` is two steps: `learn`, which takes long, and `restore`, which does not.

    `core.priors.fitting` keeps what was learnt; a fit in memory goes through the same two steps.
    """

    only_drawing: ClassVar[tuple[str, ...]] = ()
    """Parameters that change what is drawn but not what is learnt; a stored fit's key leaves them out."""

    @abstractmethod
    def learn(
        self, points: Floats, moments: Moments | None, further: Sequence[Reference], progress: Progress
    ) -> Learnt:
        """Learn from a reference cloud; arguments and errors as of `fit`.

        Raises:
            Cancelled: by `progress`.
        """

    @abstractmethod
    def operations(self, n_points: int, d_model: int) -> float:
        """Return about how many floating-point operations `learn` takes, at most."""

    @abstractmethod
    def restore(self, learnt: Learnt, points: Floats) -> Self:
        """Take what was learnt from points (n, d), which are given again for those who draw with their help."""

    def fit(self, points: Floats, moments: Moments | None = None, further: Sequence[Reference] = ()) -> Self:
        """Learn from points (n, d), which takes seconds to minutes; nothing is kept on disk."""
        return self.restore(self.learn(points, moments, further, silent), points)
