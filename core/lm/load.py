"""Load a frozen language model, once a process."""

import copy
import threading
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import Any, cast

import torch
from safetensors import SafetensorError
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForTextEncoding, AutoTokenizer, PreTrainedModel
from transformers.utils import logging as transformers_logging

from core.errors import BadData, BadRequest, Failed
from core.lm.device import choose_device, choose_dtype
from core.progress import Progress, silent
from core.sources.models import ModelFiles, is_encoder, resolve_model
from core.specs.model import ModelSpec
from core.store.artifacts import Store

MODELS_KEPT = 2
"""Models that stay in memory; a third one pushes out the one unused for longest."""

_models: OrderedDict[tuple[str, ...], "FrozenModel"] = OrderedDict()
_lock = threading.Lock()


@dataclass(frozen=True)
class FrozenModel:
    """A model in evaluation mode without gradients on its weights; jobs share it unchanged.

    Attributes:
        model: a transformers causal LM, or an encoder.
        tokenizer: its tokenizer.
        device: where it runs.
        dtype: of the weights.
        revision: names the exact weights.
        n_layers: number of blocks.
        d_model: width of the residual stream.
        n_vocabulary: rows of the embedding matrix.
        causal: whether no token sees what follows it; false for an encoder.
    """

    model: PreTrainedModel
    tokenizer: Any
    device: torch.device
    dtype: torch.dtype
    revision: str
    n_layers: int
    d_model: int
    n_vocabulary: int
    causal: bool = True


def load_model(spec: ModelSpec, store: Store, progress: Progress = silent) -> FrozenModel:
    """Return the frozen causal language model of a spec; the same object while it is in memory.

    Raises:
        BadRequest: a device that is not there, an architecture transformers does not know, no
            causal LM.
        BadData: damaged or incomplete weights.
        Failed: too little memory.
    """
    frozen = load_reader(spec, store, progress)
    if not frozen.causal:
        raise BadRequest(
            f"{spec.name!r} ({type(frozen.model).__name__}) is an encoder: it can be looked at on Activations, but not "
            "tuned and not asked to go on with a text; choose a causal language model."
        )
    return frozen


def load_reader(spec: ModelSpec, store: Store, progress: Progress = silent) -> FrozenModel:
    """Return the frozen model of a spec, which may be an encoder: it has activations too.

    Raises:
        BadRequest, BadData, Failed: see `load_model`.
    """
    device = choose_device(spec.device)
    dtype = choose_dtype(spec.dtype, device)
    files = resolve_model(spec, store, progress)
    key = (str(files.folder), files.revision, str(device), str(dtype))
    # One at a time: transformers changes torch's global defaults while it loads.
    with _lock:
        if key not in _models:
            progress(0, 0, f"Loading {spec.name} on {device} in {str(dtype).removeprefix('torch.')}")
            _models[key] = _load(spec.name, files, device, dtype)
        _models.move_to_end(key)
        while len(_models) > MODELS_KEPT:
            _models.popitem(last=False)
        return _models[key]


def forget_models() -> None:
    """Let go of all models kept in memory; whoever still uses one keeps it."""
    with _lock:
        _models.clear()


def private_copy(frozen: FrozenModel) -> FrozenModel:
    """Return a model of its own modules that shares every weight with the given one.

    Hooks on the copy do not fire in forwards of the original that other threads make.
    """
    tensors = [*frozen.model.parameters(), *frozen.model.buffers()]
    return replace(frozen, model=copy.deepcopy(frozen.model, {id(tensor): tensor for tensor in tensors}))


def _load(name: str, files: ModelFiles, device: torch.device, dtype: torch.dtype) -> FrozenModel:
    model = _read_weights(name, files, dtype)
    try:
        cast(Any, model).to(device).eval().requires_grad_(False)
    except (RuntimeError, MemoryError) as error:
        if not _is_memory(error):
            raise
        raise _too_large(name, device, error) from error
    causal = not is_encoder(model.config.to_dict())
    if causal:
        _check_causal(name, model)
    n_vocabulary, d_model = cast(torch.Tensor, model.get_input_embeddings().weight).shape
    return FrozenModel(
        model=model,
        tokenizer=_read_tokenizer(name, files),
        device=device,
        dtype=dtype,
        revision=files.revision,
        n_layers=model.config.get_text_config().num_hidden_layers,
        d_model=d_model,
        n_vocabulary=n_vocabulary,
        causal=causal,
    )


def _read_weights(name: str, files: ModelFiles, dtype: torch.dtype) -> PreTrainedModel:
    transformers_logging.disable_progress_bar()
    transformers_logging.set_verbosity_error()  # of what an encoder leaves unread; what is missing is said below
    try:
        config = AutoConfig.from_pretrained(files.folder, trust_remote_code=False)
        encoder = is_encoder(config.to_dict())
        kind: Any = AutoModelForTextEncoding if encoder else AutoModelForCausalLM
        model, loading = kind.from_pretrained(
            files.folder,
            config=config,
            dtype=dtype,
            use_safetensors=True,
            trust_remote_code=False,
            output_loading_info=True,
            **({} if encoder else {"attn_implementation": "sdpa"}),  # T5 has attention of its own
        )
    except SafetensorError as error:
        raise BadData(f"The weights of {name!r} are damaged ({_short(error)}); fetch or copy them again.") from error
    except (RuntimeError, MemoryError) as error:
        if _is_memory(error):
            raise _too_large(name, torch.device("cpu"), error) from error
        raise BadData(
            f"The weights of {name!r} do not fit its config.json ({_short(error)}); fetch both from the same revision."
        ) from error
    except (ValueError, KeyError, OSError) as error:
        raise BadRequest(
            f"{name!r} cannot be loaded as a causal language model ({_short(error)}); "
            "choose one whose architecture transformers has built in and whose weights are safetensors."
        ) from error
    # A pooler stands behind the last block and is never read.
    missing = sorted(key for key in loading["missing_keys"] if not key.startswith("pooler."))
    if missing:
        raise BadData(
            f"The weights of {name!r} lack {len(missing)} tensors, {missing[0]} first; fetch or copy them again."
        )
    return model


@torch.no_grad()
def _check_causal(name: str, model: PreTrainedModel) -> None:
    """Raise if a token's state depends on the token after it, as in an encoder.

    Raises:
        BadRequest: it does.
    """
    pairs = torch.tensor([[0, 1], [0, 2]], device=model.device)
    first, second = model.get_decoder()(input_ids=pairs, use_cache=False).last_hidden_state[:, 0].float()
    if not torch.allclose(first, second, rtol=1e-2, atol=1e-3):
        raise BadRequest(
            f"{name!r} ({type(model).__name__}) is no causal language model: its tokens see what follows; "
            "choose one that reads left to right."
        )


def _read_tokenizer(name: str, files: ModelFiles) -> Any:
    try:
        tokenizer = AutoTokenizer.from_pretrained(files.folder, trust_remote_code=False)
    except (ValueError, KeyError, OSError) as error:
        raise BadRequest(
            f"The tokenizer of {name!r} cannot be loaded ({_short(error)}); put its tokenizer.json beside the weights."
        ) from error
    # Texts may be longer than the model reads; who tokenises truncates, and no warning is due.
    tokenizer.model_max_length = int(1e30)
    return tokenizer


def _is_memory(error: Exception) -> bool:
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or "memory" in str(error)


def _too_large(name: str, device: torch.device, error: Exception) -> Failed:
    return Failed(
        f"{name!r} does not fit into the memory of device '{device}' ({_short(error)}); "
        "choose dtype 'bfloat16', another device or a smaller model."
    )


def _short(error: Exception) -> str:
    """Return the first sentence-sized piece of a message, on one line."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 160 else text[:157] + "…"
