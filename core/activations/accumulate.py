"""Mean and covariance of all tokens, one batch after the other."""

from functools import partial

import torch

from core.activations.shapes import Points
from core.errors import Failed, OutOfMemory
from core.fits.moments import Moments
from core.lm.memory import Portions

ROWS_AT_ONCE = 8192
"""Rows in float64 at a time, so that a large batch does not need four times its memory."""
PANEL = 288
"""Columns of the covariance computed at a time; panels below the diagonal are mirrored, not
computed. Wider ones compute more than is needed, narrower ones wait for threads more often."""


class Accumulator:
    """Sums for exact moments, in float64 from the first product on.

    Rows are shifted by the first batch's mean before they are multiplied, so that nothing cancels
    where the mean is large against the spread.

    Attributes:
        count: rows so far.
        shift: (d,) or None before the first batch.
        total: (d,) sum of shifted rows.
        scatter: (d, d) sum of outer products of shifted rows; right on and above the diagonal
            panels only.
    """

    def __init__(self, d_model: int, device: torch.device) -> None:
        """Start empty; a device without float64 (MPS) leaves the sums to the CPU."""
        self.device = torch.device("cpu") if device.type == "mps" else device
        self.count = 0
        self._portions = Portions(self.device)
        self.shift: torch.Tensor | None = None
        self.total = torch.zeros(d_model, dtype=torch.float64, device=self.device)
        self.scatter = torch.zeros(d_model, d_model, dtype=torch.float64, device=self.device)

    def add(self, rows: Points) -> None:
        """Add rows of any number format.

        Raises:
            Failed: too little memory for a single row.
        """
        if len(rows) == 0:
            return
        rows = rows.to(self.device)
        if self.shift is None:
            self.shift = rows.mean(dim=0, dtype=torch.float64)
        self.count += len(rows)
        try:
            for piece in rows.split(ROWS_AT_ONCE):
                self._portions.each(len(piece), 1, partial(self._add, piece, self.shift))
        except OutOfMemory as error:  # no batch to be tried again in halves: some of its rows are in the sums
            raise Failed(f"Nothing is left of the memory of device '{self.device}'; end other programs.") from error

    def _add(self, rows: Points, shift: torch.Tensor, part: slice) -> None:
        shifted = rows[part].double().sub_(shift)  # all the memory that is needed, before anything is added
        self.total += shifted.sum(dim=0)
        for begin in range(0, shifted.shape[1], PANEL):
            end = begin + PANEL
            self.scatter[begin:end, begin:].addmm_(shifted[:, begin:end].T, shifted[:, begin:])

    def moments(self) -> Moments:
        """Return the moments of all rows added."""
        shift = torch.zeros_like(self.total) if self.shift is None else self.shift
        mean = self.total / self.count
        upper = (self.scatter / self.count).triu()
        covariance = upper + upper.triu(1).T - torch.outer(mean, mean)
        return Moments(self.count, (shift + mean).cpu().numpy(), covariance.cpu().numpy())

    def state(self) -> dict[str, torch.Tensor]:
        """Return everything needed to go on later."""
        shift = self.total.new_zeros(0) if self.shift is None else self.shift
        return {"count": torch.tensor([self.count]), "shift": shift, "total": self.total, "scatter": self.scatter}

    def restore(self, state: dict[str, torch.Tensor]) -> None:
        """Go on from a state.

        It is copied: a tensor read from a file may lie anywhere in memory, and matrix products
        round by alignment.
        """
        self.count = int(state["count"][0])
        self.shift = state["shift"].to(self.device, copy=True) if len(state["shift"]) else None
        self.total.copy_(state["total"])
        self.scatter.copy_(state["scatter"])
