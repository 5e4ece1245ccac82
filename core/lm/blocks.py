"""Where the parts of a language model are, whatever its architecture calls them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel

from core.errors import BadRequest
from core.specs.cloud import FINAL


@dataclass(frozen=True)
class Parts:
    """The pieces of a model that sites are defined by.

    Attributes:
        decoder: runs token ids (or embeddings) through all blocks and the final norm, without the
            output matrix.
        embedding: token ids → (batch, pos, d_model).
        blocks: in their order; each maps the residual stream to the residual stream.
        final_norm: what stands between the last block and the output matrix; None where there is
            nothing.
    """

    decoder: nn.Module
    embedding: nn.Module
    blocks: nn.ModuleList
    final_norm: nn.Module | None


def find_parts(model: PreTrainedModel) -> Parts:
    """Return the parts of a causal LM or an encoder of transformers.

    The blocks are the outermost list of modules that is as long as the config says there are
    blocks.

    Raises:
        BadRequest: there is no such list, or more than one.
    """
    decoder = model.get_decoder()
    n_layers = model.config.get_text_config().num_hidden_layers
    lists = [
        (path, module)
        for path, module in decoder.named_modules()
        if isinstance(module, nn.ModuleList) and len(module) == n_layers
    ]
    depth = min((path.count(".") for path, _ in lists), default=0)
    outermost = [(path, module) for path, module in lists if path.count(".") == depth]
    if len(outermost) != 1:
        names = ", ".join(path for path, _ in outermost) or "none"
        raise BadRequest(
            f"{type(model).__name__} should hold one list of {n_layers} blocks but holds {len(outermost)} ({names}); "
            "choose a language model with one stack of blocks."
        )
    path, blocks = outermost[0]
    owner = decoder.get_submodule(path.rpartition(".")[0])
    return Parts(decoder, model.get_input_embeddings(), blocks, _final_norm(owner))


def watch_site(parts: Parts, site: int | str, see: Callable[[int | str, torch.Tensor], None]) -> Any:
    """Hook a model, so that each forward tells the stream (batch, pos, d_model) at a site.

    Returns:
        the hook's handle, a context manager that removes it.
    """

    def entering(_: Any, arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
        see(site, arguments[0] if arguments else named["hidden_states"])

    def leaving(_: Any, __: Any, output: Any) -> None:
        see(site, output if torch.is_tensor(output) else output[0])

    if site == FINAL:
        return parts.blocks[-1].register_forward_hook(leaving)
    return parts.blocks[int(site)].register_forward_pre_hook(entering, with_kwargs=True)


def _final_norm(owner: nn.Module) -> nn.Module | None:
    """Return the norm beside the list of blocks, without those that the embeddings own by name."""
    norms = [module for name, module in owner.named_children() if is_norm(module) and "emb" not in name.lower()]
    return norms[-1] if norms else None


def is_norm(module: nn.Module) -> bool:
    """Return whether a module is a norm, by its name."""
    return "norm" in type(module).__name__.lower()
