"""Load a frozen language model, once a process."""

import logging
import re
import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, cast

import torch
import transformers
from safetensors import SafetensorError
from torch import nn
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForTextEncoding, AutoTokenizer, PreTrainedModel
from transformers.utils import logging as transformers_logging

from core.errors import BadData, BadRequest, Failed, PriorscopeError
from core.lm.answers import Answers, require_usable
from core.lm.blocks import find_parts
from core.lm.device import choose_device, choose_dtype
from core.lm.frozen import FrozenModel
from core.lm.memory import is_memory
from core.lm.questions import VERSION, ask, short
from core.lm.text import tokens_around
from core.progress import Progress, silent
from core.sources.model_facts import check_sizes, is_encoder
from core.sources.models import ModelFiles, resolve_model
from core.specs.base import JsonObject, fingerprint
from core.specs.model import ModelSpec
from core.store.artifacts import Store

MODELS_KEPT = 2
"""Models that stay in memory; a third one pushes out the one unused for longest."""
ANSWERS = "model-answers"
"""Kind of the artifacts that hold what a model answered when it was first loaded."""

_models: OrderedDict[tuple[str, ...], FrozenModel] = OrderedDict()
_lock = threading.Lock()
logger = logging.getLogger(__name__)


def load_model(spec: ModelSpec, store: Store, progress: Progress = silent) -> FrozenModel:
    """Return the frozen causal language model of a spec; the same object while it is in memory.

    Raises:
        BadRequest: a device that is not there, an architecture transformers does not know, no
            causal LM, or one that does not read vectors before its tokens.
        BadData: damaged or incomplete weights.
        Failed: too little memory.
    """
    frozen = load_reader(spec, store, progress)
    if not frozen.causal:
        raise BadRequest(
            f"{spec.name!r} ({type(frozen.model).__name__}) is an encoder: it can be looked at on Activations, but not "
            "tuned or asked to continue a text; choose a causal language model."
        )
    if frozen.abilities.no_prompt:
        raise BadRequest(
            f"{spec.name!r} ({type(frozen.model).__name__}) can be looked at on Activations, but not tuned or "
            f"asked to continue a text: {frozen.abilities.no_prompt}; choose another causal language model."
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
            _models[key] = _load(spec.name, files, device, dtype, store)
        _models.move_to_end(key)
        while len(_models) > MODELS_KEPT:
            _models.popitem(last=False)
        return _models[key]


def forget_models() -> None:
    """Drop all models kept in memory; a caller that still uses one keeps it."""
    with _lock:
        _models.clear()


def examine(spec: ModelSpec, store: Store, progress: Progress = silent) -> Answers:
    """Return what a model answers, also one that cannot be used; nothing is kept of it.

    Raises:
        BadRequest, BadData, Failed: it cannot be loaded; see `load_model`.
    """
    device = choose_device(spec.device)
    frozen = _read(spec.name, resolve_model(spec, store, progress), device, choose_dtype(spec.dtype, device))
    return ask(frozen)


def _load(name: str, files: ModelFiles, device: torch.device, dtype: torch.dtype, store: Store) -> FrozenModel:
    frozen = _read(name, files, device, dtype)
    versions = (torch.__version__, transformers.__version__, VERSION)
    key = fingerprint("answers", frozen.revision, str(device), str(dtype), *versions)

    def put(_: Any) -> JsonObject:
        found = ask(frozen)
        require_usable(name, frozen, found)
        return found.document()

    kept, _ = store.make(ANSWERS, key, {"revision": frozen.revision}, put)
    found = Answers.of_document(kept.info)
    if found.abilities.no_fast:
        logger.warning("%r is run by its own forward; of the fast one: %s", name, found.abilities.no_fast)
    return replace(frozen, d_model=found.d_model, abilities=found.abilities)


def _read(name: str, files: ModelFiles, device: torch.device, dtype: torch.dtype) -> FrozenModel:
    """Return a model as it is on disk; its width is that of its embeddings until it is tested."""
    check_sizes(files.folder, name)
    model = _read_weights(name, files, dtype)
    try:
        cast(Any, model).to(device).eval().requires_grad_(False)
        n_layers = len(find_parts(model).blocks)
        n_vocabulary, width = cast(torch.Tensor, model.get_input_embeddings().weight).shape
    except PriorscopeError:
        raise
    except Exception as error:
        if is_memory(error):
            raise _too_large(name, device, error) from error
        raise _no_language_model(name, error) from error
    return FrozenModel(
        model=model,
        tokenizer=_read_tokenizer(name, files),
        device=device,
        dtype=dtype,
        revision=files.revision,
        n_layers=n_layers,
        d_model=width,
        n_vocabulary=n_vocabulary,
        causal=not is_encoder(model.config.to_dict()),
    )


def _read_weights(name: str, files: ModelFiles, dtype: torch.dtype) -> PreTrainedModel:
    transformers_logging.disable_progress_bar()
    transformers_logging.set_verbosity_error()  # of what an encoder leaves unread; what is missing is said below
    try:
        config = AutoConfig.from_pretrained(files.folder, trust_remote_code=False)
        encoder = is_encoder(config.to_dict())
        if config.is_encoder_decoder and not encoder:
            raise BadRequest(
                f"{name!r} is an encoder with a decoder ({config.model_type}), which priorscope does not read; "
                "choose a causal language model."
            )
        kind: Any = AutoModelForTextEncoding if encoder else AutoModelForCausalLM
        # No attention is asked for: transformers takes its fast one wherever a family has it.
        model, loading = kind.from_pretrained(
            files.folder,
            config=config,
            dtype=dtype,
            use_safetensors=True,
            trust_remote_code=False,
            output_loading_info=True,
        )
    except PriorscopeError:
        raise
    except SafetensorError as error:
        raise BadData(f"The weights of {name!r} are damaged ({short(error)}); fetch or copy them again.") from error
    except (RuntimeError, MemoryError) as error:
        if is_memory(error):
            raise _too_large(name, torch.device("cpu"), error) from error
        raise BadData(
            f"The weights of {name!r} do not fit its config.json ({short(error)}); fetch both from the same revision."
        ) from error
    except ImportError as error:
        raise BadRequest(
            f"{name!r} needs a package that is not installed ({short(error)}); install it, or choose the model's "
            "weights that are not quantised."
        ) from error
    except Exception as error:
        raise _no_language_model(name, error) from error
    # A pooler stands behind the last block and is never read.
    missing = sorted(key for key in loading["missing_keys"] if not key.startswith("pooler."))
    if missing:
        raise BadData(
            f"The weights of {name!r} lack {len(missing)} tensors, {missing[0]} first; fetch or copy them again."
        )
    _require_all_blocks(name, model, loading["unexpected_keys"])
    return model


def _require_all_blocks(name: str, model: PreTrainedModel, unread: Iterable[str]) -> None:
    """Check that the weights hold no further blocks than the config says.

    Raises:
        BadData: they do.
    """
    blocks: nn.ModuleList = find_parts(model).blocks
    path = next(path for path, module in model.named_modules() if module is blocks)
    of_a_block = re.compile(rf"(?:{re.escape(path)}|{re.escape(path.partition('.')[2] or path)})\.(\d+)\.")
    numbers = [int(found[1]) for key in unread if (found := of_a_block.match(key))]
    if numbers and max(numbers) >= len(blocks):
        raise BadData(
            f"The weights of {name!r} hold {max(numbers) + 1} blocks and its config.json says {len(blocks)}; "
            "fetch both from the same revision."
        )


def _read_tokenizer(name: str, files: ModelFiles) -> Any:
    try:
        tokenizer = AutoTokenizer.from_pretrained(files.folder, trust_remote_code=False)
        tokens_around(tokenizer)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # a panic of the tokenizers' Rust code is no `Exception`
        raise BadRequest(
            f"The tokenizer of {name!r} cannot be loaded ({short(error)}); put its tokenizer.json beside the weights."
        ) from error
    # Texts may be longer than the model reads; who tokenises truncates, and no warning is due.
    tokenizer.model_max_length = int(1e30)
    return tokenizer


def _no_language_model(name: str, error: Exception) -> BadRequest:
    return BadRequest(
        f"{name!r} cannot be loaded as a causal language model ({short(error)}); "
        "choose one whose architecture transformers has built in and whose weights are safetensors."
    )


def _too_large(name: str, device: torch.device, error: Exception) -> Failed:
    return Failed(
        f"{name!r} does not fit into the memory of device '{device}' ({short(error)}); "
        "choose dtype 'bfloat16', another device or a smaller model."
    )
