"""Which sites of the residual stream a request means."""

from collections.abc import Sequence
from typing import Literal

from core.errors import BadRequest
from core.specs.cloud import FINAL, Site
from core.specs.tuning import TuningSpec


def resolve_sites(requested: Sequence[Site] | Literal["all"], n_layers: int) -> tuple[Site, ...]:
    """Return the sites in the order of the stream, each once; 'all' is each block's input and 'final'.

    Raises:
        BadRequest: a block number beyond the last, or no site at all.
    """
    if requested == "all":
        return (*range(n_layers), FINAL)
    numbers = sorted({site for site in requested if isinstance(site, int)})
    beyond = [site for site in numbers if not 0 <= site < n_layers]
    if beyond:
        raise BadRequest(
            f"Site {beyond[0]} does not exist: the model has blocks 0 to {n_layers - 1}; "
            f"choose one of those, or '{FINAL}' for the stream leaving the last block."
        )
    sites: tuple[Site, ...] = (*numbers, *([FINAL] if FINAL in requested else []))
    if not sites:
        raise BadRequest("No site is named; name at least one, or 'all'.")
    return sites


def resolve_prompt_sites(spec: TuningSpec, n_layers: int) -> tuple[int, ...]:
    """Return the blocks that a run prompts, in the order of the stream; (0,) for a soft prompt.

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
