"""Folders of models with odd content."""

import json
import os
import random
import shutil
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load, save

from core.lm.load import forget_models, load_model, load_reader
from core.sources.models import describe_model, resolve_model
from core.specs import ModelSpec
from core.store import Store
from tests.faults.mutate import mutated, mutated_bytes, numbered
from tests.llama import write_llama

CONFIG, TOKENIZER, SETTINGS, WEIGHTS = "config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"
MORE_SETTINGS: tuple[dict[str, Any], ...] = (
    {"num_hidden_layers": 10**9},
    {"num_hidden_layers": 1},
    {"hidden_size": 10**12},
    {"max_position_embeddings": 10**15},
    {"quantization_config": {"quant_method": "gptq", "bits": 4}},
    {"quantization_config": {"quant_method": "mystery"}},
    {"auto_map": {"AutoConfig": "evil.Config", "AutoModelForCausalLM": "evil.LM"}, "model_type": "evil"},
    {"model_type": "gpt2"},
    {"model_type": "bart"},
    {"model_type": "mamba"},
    {"architectures": ["Evil"]},
    {"text_config": []},
    {"text_config": {"model_type": "llama"}},
    {"attn_implementation": "flash_attention_2"},
    {"rope_parameters": {"rope_type": "odd"}},
    {"vocab_size": 7},
    {"torch_dtype": "float99"},
)


@cache
def _sound() -> dict[str, bytes]:
    """Return the files of a small model."""
    folder = Path(os.environ.get("TMPDIR", "/tmp")) / f"sound-model-{os.getpid()}"
    heads = {"num_attention_heads": 2, "num_key_value_heads": 1}
    letters = [*map(chr, range(32, 127)), "\n"]
    write_llama(folder, letters, True, hidden_size=16, intermediate_size=16, num_hidden_layers=2, **heads)
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    shutil.rmtree(folder)
    return files


def cases(rng: random.Random, folder: Path) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Return folders with one or two odd files."""
    return numbered("model", _load, rng, folder)


def _load(rng: random.Random, folder: Path) -> str:
    shutil.rmtree(folder, ignore_errors=True)
    model, store = folder / "model", Store(folder / "cache")
    model.mkdir()
    files = dict(_sound())
    for name in rng.sample([CONFIG, TOKENIZER, SETTINGS, WEIGHTS], rng.randint(0, 2)):
        files[name] = _changed(name, files[name], rng)
    for name, raw in files.items():
        (model / name).write_bytes(raw)
    if rng.random() < 0.15:
        _put_beside(model, rng)
    (model / "evil.py").write_text(f"open({str(folder / 'ran')!r}, 'w')")
    spec = ModelSpec(name=str(model), device="cpu", dtype=rng.choice(["float32", "bfloat16", "float16"]))
    describe_model(spec, store)
    forget_models()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        resolve_model(spec, store)
        (load_model if rng.random() < 0.5 else load_reader)(spec, store)
    return "code of the folder ran" if (folder / "ran").exists() else ""


def _changed(name: str, raw: bytes, rng: random.Random) -> bytes:
    if name == WEIGHTS:
        return mutated_bytes(raw, rng) if rng.random() < 0.4 else _odd_weights(raw, rng)
    if rng.random() < 0.2:
        return mutated_bytes(raw, rng)
    data = json.loads(raw)
    if name == CONFIG and rng.random() < 0.6:
        return json.dumps({**data, **rng.choice(MORE_SETTINGS)}).encode()
    return json.dumps(mutated(data, rng)).encode()


def _odd_weights(raw: bytes, rng: random.Random) -> bytes:
    tensors = load(raw)
    name = rng.choice(sorted(tensors))
    match rng.randrange(5):
        case 0:
            del tensors[name]
        case 1:
            tensors[name] = tensors[name].new_full(tensors[name].shape, float("nan"))
        case 2:
            tensors[name] = torch.zeros(rng.choice([(), (0,), (3, 3), (1, 1, 1)]))
        case 3:
            tensors[f"model.layers.{rng.randint(2, 99)}.mlp.up_proj.weight"] = torch.zeros(2, 2)
        case _:
            tensors[name] = tensors[name].to(rng.choice([torch.int64, torch.float64, torch.bool]))
    return save(tensors, metadata={"format": "pt"})


def _put_beside(model: Path, rng: random.Random) -> None:
    match rng.randrange(6):
        case 0:
            os.mkfifo(model / "tokenizer.model")
        case 1:
            (model / "chat_template.jinja").symlink_to("/dev/zero")
        case 2:
            (model / "adapter_config.json").write_text("{}")
        case 3:
            (model / "generation_config.json").write_text(
                rng.choice(["[]", '{"eos_token_id": {}}', '{"eos_token_id": "x"}'])
            )
        case 4:
            (model / WEIGHTS).unlink()
            index = {"weight_map": {"a": rng.choice(["../../../etc/passwd", "gone.safetensors", 3, None])}}
            (model / "model.safetensors.index.json").write_text(json.dumps(index))
        case _:
            (model / "tokenizer.json").unlink(missing_ok=True)
