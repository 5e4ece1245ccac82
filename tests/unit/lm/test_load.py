import json
import shutil
import threading
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, RobertaConfig, RobertaForCausalLM

from core.errors import BadData, BadRequest, Failed
from core.lm.frozen import private_copy
from core.lm.load import load_model
from core.specs import ModelSpec

pytestmark = pytest.mark.usefixtures("nothing_in_memory")


@pytest.fixture
def broken(tiny_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_folder, tmp_path / "broken"))


def spec(folder: Path, **changes) -> ModelSpec:
    return ModelSpec(name=str(folder), device="cpu", **{"dtype": "float32", **changes})


def test_facts_and_frozenness(tiny_folder, store):
    frozen = load_model(spec(tiny_folder), store)
    assert (frozen.n_layers, frozen.d_model, frozen.n_vocabulary) == (3, 32, 99)
    assert frozen.dtype == torch.float32
    assert not frozen.model.training
    assert not any(parameter.requires_grad for parameter in frozen.model.parameters())
    assert frozen.model.config._attn_implementation == "sdpa"


def test_a_second_call_returns_the_same_object_also_from_threads(tiny_folder, store):
    found = []
    threads = [threading.Thread(target=lambda: found.append(load_model(spec(tiny_folder), store))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len({id(frozen) for frozen in found}) == 1


def test_memory_keeps_few_models(tiny_folder, store):
    first = load_model(spec(tiny_folder), store)
    load_model(spec(tiny_folder, dtype="bfloat16"), store)
    last = load_model(spec(tiny_folder, dtype="float16"), store)
    assert load_model(spec(tiny_folder, dtype="float16"), store) is last
    assert load_model(spec(tiny_folder), store) is not first


def test_loading_leaves_the_default_format_alone(tiny_folder, store):
    load_model(spec(tiny_folder, dtype="bfloat16"), store)
    assert torch.get_default_dtype() == torch.float32


def test_loading_draws_nothing_on_stderr(tiny_folder, store, capfd):
    load_model(spec(tiny_folder), store)
    assert capfd.readouterr().err == ""


def test_a_private_copy_shares_weights_but_not_hooks(tiny_folder, store):
    frozen = load_model(spec(tiny_folder), store)
    copied = private_copy(frozen)
    ours = dict(copied.model.named_parameters())
    assert all(ours[name] is parameter for name, parameter in frozen.model.named_parameters())
    fired = []
    copied.model.register_forward_hook(lambda *_: fired.append(1))
    ids = torch.tensor([[5, 6, 7]])
    with torch.no_grad():
        expected = frozen.model(ids).logits
        assert fired == []
        assert torch.equal(copied.model(ids).logits, expected)
    assert fired == [1]


def test_cut_weights_are_called_damaged(broken, store):
    weights = broken / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(BadData, match=r"The weights of .* are damaged .*; fetch or copy them again"):
        load_model(spec(broken), store)


def test_missing_tensors_are_not_made_up(broken, store):
    config = json.loads((broken / "config.json").read_text())
    (broken / "config.json").write_text(json.dumps({**config, "num_hidden_layers": 4}))
    with pytest.raises(BadData, match=r"lack \d+ tensors, model\.layers\.3.* first; fetch or copy them again"):
        load_model(spec(broken), store)


def test_weights_of_another_shape_are_refused(broken, store):
    config = json.loads((broken / "config.json").read_text())
    (broken / "config.json").write_text(json.dumps({**config, "intermediate_size": 48}))
    with pytest.raises(BadData, match=r"do not fit its config.json .*; fetch both from the same revision"):
        load_model(spec(broken), store)


def test_an_unknown_architecture_is_refused(broken, store):
    (broken / "config.json").write_text(json.dumps({"model_type": "abacus"}))
    with pytest.raises(BadRequest, match=r"cannot be loaded as a causal language model .*abacus.*; choose one"):
        load_model(spec(broken), store)


def test_code_that_comes_with_a_model_is_never_run(broken, store):
    (broken / "config.json").write_text(
        json.dumps(
            {"model_type": "abacus", "auto_map": {"AutoConfig": "evil.Config", "AutoModelForCausalLM": "evil.LM"}}
        )
    )
    (broken / "evil.py").write_text("raise SystemExit('ran')")
    with pytest.raises(BadRequest, match="architecture transformers has built in"):
        load_model(spec(broken), store)


def test_a_model_without_tokenizer_is_refused(broken, store):
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (broken / name).unlink()
    with pytest.raises(BadRequest, match=r"The tokenizer of .* cannot be loaded .*; put its tokenizer.json beside"):
        load_model(spec(broken), store)


def test_a_model_that_sees_what_follows_is_refused(broken, store):
    torch.manual_seed(0)
    config = RobertaConfig(
        vocab_size=99, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=16, is_decoder=True
    )
    RobertaForCausalLM(config).save_pretrained(broken)
    saved = json.loads((broken / "config.json").read_text())
    (broken / "config.json").write_text(json.dumps({**saved, "is_decoder": False}))
    with pytest.raises(BadRequest, match="is not a causal language model: its tokens see what follows; choose one"):
        load_model(spec(broken), store)


def test_too_little_memory_says_what_to_do(tiny_folder, store, monkeypatch):
    def refuse(*_, **__):
        raise RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 99 bytes.")

    monkeypatch.setattr(AutoModelForCausalLM, "from_pretrained", refuse)
    with pytest.raises(
        Failed, match=r"does not fit into the memory of device 'cpu' .*; choose dtype 'bfloat16', another"
    ):
        load_model(spec(tiny_folder), store)
