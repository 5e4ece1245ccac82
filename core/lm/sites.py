"""Which places of the residual stream a request means."""

from collections.abc import Sequence
from typing import Literal

from core.errors import BadRequest
from core.specs.cloud import FINAL
from core.specs.tuning import TuningSpec

Place = int | str
"""A site: block number k (the stream entering block k) or 'final' (the stream leaving the last block)."""


def resolve_sites(asked: Sequence[Place] | Literal["all"], n_layers: int) -> tuple[Place, ...]:
    """Return the sites in the order of the stream, each once.

    Args:
        asked: sites, or 'all' for each block's input and 'final'.
        n_layers: number of blocks of the model.

    Raises:
        BadRequest: a block number beyond the last, or no site at all.
    """
    if asked == "all":
        return (*range(n_layers), FINAL)
    numbers = sorted({site for site in asked if isinstance(site, int)})
    beyond = [site for site in numbers if not 0 <= site < n_layers]
    if beyond:
        raise BadRequest(
            f"Site {beyond[0]} does not exist: the model has blocks 0 to {n_layers - 1}; "
            f"choose one of those, or '{FINAL}' for the stream leaving the last block."
        )
    sites: tuple[Place, ...] = (*numbers, *([FINAL] if FINAL in asked else []))
    if not sites:
        raise BadRequest("No site was asked for; name at least one, or 'all'.")
    return sites


def resolve_prompt_sites(spec: TuningSpec, n_layers: int) -> tuple[int, ...]:
    """Return the blocks whose inputs a run prompts, in the order of the stream, each once; (0,) of a soft prompt.

    Raises:
        BadRequest: a block that the model does not have.
    """
    if spec.method == "soft":
        return (0,)
    for site in spec.prompt_sites:
        if not -n_layers <= site < n_layers:
            raise BadRequest(
                f"Block {site} cannot be prompted: the model has blocks 0 to {n_layers - 1}, or -{n_layers} to -1 "
                "counted from the last; choose prompt_sites among those."
            )
    return tuple(sorted({site % n_layers for site in spec.prompt_sites}))


def middle_site(n_layers: int) -> int:
    """Return the site halfway up, where sinks are told by their norm."""
    return n_layers // 2
