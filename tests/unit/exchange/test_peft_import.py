"""Adapters as runs: our own with all we know of them, others' with what their configuration tells."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from peft import PromptEncoderConfig, PromptTuningConfig, TaskType, get_peft_model
from safetensors.numpy import load_file, save_file
from safetensors.torch import load_file as load_torch
from safetensors.torch import save_file as save_torch
from transformers import AutoModelForCausalLM

from core.errors import BadData, BadRequest
from core.exchange.peft_adapter import export_peft
from core.exchange.peft_import import import_peft
from core.jobs.comparison import comparison
from core.jobs.measure import tuning_spec
from core.store import find_job
from core.store.imported import imported, unknown_settings
from core.store.prompts import read_prompts
from tests.jobs import measured
from tests.unit.jobs.measured import tuned, tuning

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")


@pytest.fixture
def spec(tiny_folder: Path, tmp_path: Path):
    return tuning(tiny_folder, tmp_path / "sums.jsonl")


@pytest.fixture
def known(spec) -> dict[str, Any]:
    """Return model and data as the command line gives them."""
    return {"model": spec.model.as_json(), "dataset": spec.dataset.as_json()}


@pytest.fixture
def foreign(tiny_folder: Path, tmp_path: Path) -> Path:
    """Return an adapter that PEFT itself wrote, with nothing of ours beside it."""
    config = PromptTuningConfig(task_type=TaskType.CAUSAL_LM, num_virtual_tokens=5)
    get_peft_model(AutoModelForCausalLM.from_pretrained(tiny_folder), config).save_pretrained(str(tmp_path / "foreign"))
    return tmp_path / "foreign"


def test_our_own_adapter_comes_back_as_the_run_it_was(spec, known, store, tmp_path):
    run = tuned(spec, store, "t-1")
    export_peft(run, tmp_path / "adapter")
    document = import_peft(tmp_path / "adapter", store, **known)
    (name,) = document["runs"]
    back = find_job(store, name)
    assert document["start"] == "prior sample"
    assert document["unknown"] == []
    assert tuning_spec(back) == spec
    ours, theirs = read_prompts(run), read_prompts(back)
    assert ours is not None
    assert theirs is not None
    np.testing.assert_array_equal(theirs.vectors[[0, -1]], ours.vectors[[0, -1]])
    assert (back.result() or {})["validation"] == (run.result() or {})["validation"]
    assert (imported(back) or {})["format"] == "peft"
    assert imported(run) is None
    assert import_peft(tmp_path / "adapter", store, **known)["already_there"] == [name]


def test_an_adapter_of_others_is_measured_without_its_way(foreign, known, store):
    (name,) = import_peft(foreign, store, **known)["runs"]
    run = find_job(store, name)
    assert tuning_spec(run).prior.model_dump() == {"kind": "isotropic", "std": 1.0, "reading": "std"}
    assert "learning_rate" in unknown_settings(run)
    prompts = read_prompts(run)
    assert prompts is not None
    assert not prompts.begun
    weights = load_file(foreign / "adapter_model.safetensors")["prompt_embeddings"]
    np.testing.assert_array_equal(prompts.posterior(0), weights)
    found = measured(run, store, worth=True, n_worth=2)
    (at,) = found.summary["sites"]
    assert at["displacement"] == {}
    assert '"prior"' not in json.dumps({group: at[group] for group in ("collapse", "shape", "place", "worth")})
    assert set(at["worth"]) == {"drop", "half", "double", "snap", "shuffle", "all_snap"}
    assert {"norm before", "distance", "angle"}.isdisjoint(found.table("vectors").columns)
    assert found.summary["learning_rate"] is None
    (document,) = comparison([found], store)["runs"]
    assert document["prior_name"] == "isotropic"


def changed(folder: Path, **settings: Any) -> None:
    path = folder / "adapter_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | settings))


@pytest.mark.parametrize(
    ("begun", "prior"),
    [
        ({"prompt_tuning_init": "SAMPLE_VOCAB"}, ("vocabulary", "all")),
        ({"prompt_tuning_init": "TEXT", "prompt_tuning_init_text": "Add: "}, ("vocabulary", "text")),
    ],
)
def test_the_prior_is_what_the_configuration_says(foreign, known, store, begun, prior):
    changed(foreign, **begun)
    (name,) = import_peft(foreign, store, **known)["runs"]
    found: Any = tuning_spec(find_job(store, name)).prior
    assert (found.kind, found.rows) == prior


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"peft_type": "LORA"}, "is of the type 'LORA', which changes more .* only PROMPT_TUNING and P_TUNING"),
        ({"task_type": "SEQ_2_SEQ_LM"}, "is for SEQ_2_SEQ_LM with 1 parts; only a CAUSAL_LM one"),
        ({"num_transformer_submodules": 2}, "with 2 parts; only a CAUSAL_LM one with 1 part"),
        ({"num_virtual_tokens": 7}, r"has a prompt of the shape \(5, 32\), but its configuration says \(7, 32\)"),
        ({"prompt_tuning_init": "DREAM"}, "prompt_tuning_init is 'DREAM', which is none of RANDOM, SAMPLE_VOCAB, TEXT"),
    ],
)
def test_what_a_soft_prompt_is_not(foreign, known, store, settings, words):
    changed(foreign, **settings)
    with pytest.raises(BadRequest, match=words):
        import_peft(foreign, store, **known)
    assert not list((store.root / "runs").iterdir()), "nothing half-made is left"


def test_what_is_missing_is_said(foreign, known, store, tmp_path):
    with pytest.raises(BadRequest, match="does not say what it was tuned on; name it with --dataset"):
        import_peft(foreign, store, known["model"])
    with pytest.raises(BadData, match=r"holds no adapter_config.json; name the folder of an adapter"):
        import_peft(tmp_path, store, **known)
    changed(foreign, base_model_name_or_path=None)
    with pytest.raises(BadRequest, match="does not name its base model; name it with --model"):
        import_peft(foreign, store, dataset=known["dataset"])
    (foreign / "adapter_config.json").write_text("{")
    with pytest.raises(BadData, match=r"adapter_config.json in 'foreign' is not JSON .* export the adapter again"):
        import_peft(foreign, store, **known)
    (foreign / "adapter_config.json").write_text("[]")
    with pytest.raises(BadData, match="is not a JSON object"):
        import_peft(foreign, store, **known)


def test_another_model_is_refused(foreign, known, store):
    with pytest.raises(BadRequest, match="The prompt is 32 wide and 'smollm2-135m' is 576; name the model it belongs"):
        import_peft(foreign, store, {"name": "smollm2-135m"}, known["dataset"])


def test_weights_that_cannot_be_trusted(foreign, known, store):
    weights = foreign / "adapter_model.safetensors"
    prompt = load_file(weights)["prompt_embeddings"]
    save_file({"prompt_embeddings": np.full_like(prompt, np.nan)}, weights)
    with pytest.raises(BadData, match="is not a table of finite numbers"):
        import_peft(foreign, store, **known)
    save_file({"lora_A": prompt}, weights)
    with pytest.raises(BadData, match="holds lora_A, not just 'prompt_embeddings'"):
        import_peft(foreign, store, **known)
    save_file({"prompt_embeddings": prompt.astype(np.int64)}, weights)
    with pytest.raises(BadData, match=r"is of the format I64; give floats \(F64, F32, F16, BF16\)"):
        import_peft(foreign, store, **known)
    weights.write_bytes(b"\x80\x04 not safetensors")
    with pytest.raises(BadData, match="cannot be read as safetensors"):
        import_peft(foreign, store, **known)
    weights.unlink()
    with pytest.raises(BadData, match=r"has no adapter_model.safetensors; save it"):
        import_peft(foreign, store, **known)
    (foreign / "adapter_model.bin").write_bytes(b"")
    with pytest.raises(BadData, match="has only pickled weights, which can run any code"):
        import_peft(foreign, store, **known)


def test_our_own_files_are_looked_at_as_well(spec, known, store, tmp_path):
    folder = tmp_path / "adapter"
    export_peft(tuned(spec, store, "t-1"), folder)
    with pytest.raises(BadRequest, match=r"tuned on the file 'sums.jsonl', which did not come with it"):
        import_peft(folder, store, known["model"])
    save_file({"prompt": np.zeros((2, 32), np.float32)}, folder / "priorscope_start.safetensors")
    with pytest.raises(BadData, match=r"has the shape \(2, 32\) and the prompt \(4, 32\)"):
        import_peft(folder, store, **known)
    (folder / "priorscope.json").write_text("{}")
    with pytest.raises(BadData, match=r"priorscope.json in 'adapter' has no valid 'spec'"):
        import_peft(folder, store, **known)


def test_a_hub_name_of_a_packaged_model_is_that_model(foreign, known, store):
    changed(foreign, base_model_name_or_path="HuggingFaceTB/SmolLM2-135M-Instruct")
    with pytest.raises(BadRequest, match="wide and 'smollm2-135m' is 576"):
        import_peft(foreign, store, dataset=known["dataset"])


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_any_number_format_is_read(foreign, known, store, dtype):
    weights = foreign / "adapter_model.safetensors"
    prompt = load_torch(weights)["prompt_embeddings"].to(dtype)
    save_torch({"prompt_embeddings": prompt}, weights)
    (name,) = import_peft(foreign, store, **known)["runs"]
    np.testing.assert_array_equal(posterior(name, store), prompt.float().numpy())


def test_embeddings_that_peft_saved_beside_the_prompt_are_left(foreign, known, store):
    weights = foreign / "adapter_model.safetensors"
    prompt = load_file(weights)["prompt_embeddings"]
    beside = np.zeros((99, prompt.shape[1]), np.float32)
    save_file({"base_model.lm_head.weight": beside, "prompt_embeddings": prompt}, weights)
    (name,) = import_peft(foreign, store, **known)["runs"]
    np.testing.assert_array_equal(posterior(name, store), prompt)


def test_a_configuration_without_sizes_takes_those_of_the_prompt(foreign, known, store):
    changed(foreign, token_dim=None, num_virtual_tokens=None, num_transformer_submodules=None)
    (name,) = import_peft(foreign, store, **known)["runs"]
    assert posterior(name, store).shape == (5, 32)


def test_p_tuning_keeps_plain_vectors(tiny_folder, known, store, tmp_path):
    config = PromptEncoderConfig(task_type=TaskType.CAUSAL_LM, num_virtual_tokens=5, encoder_hidden_size=8)
    get_peft_model(AutoModelForCausalLM.from_pretrained(tiny_folder), config).save_pretrained(str(tmp_path / "p"))
    (name,) = import_peft(tmp_path / "p", store, **known)["runs"]
    weights = load_file(tmp_path / "p" / "adapter_model.safetensors")["prompt_embeddings"]
    np.testing.assert_array_equal(posterior(name, store), weights)


def posterior(name: str, store) -> np.ndarray:
    prompts = read_prompts(find_job(store, name))
    assert prompts is not None
    return prompts.posterior(0)
