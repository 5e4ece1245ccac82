"""What a model is asked when it is loaded, and what follows from its answers."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch.nn import functional
from transformers import AutoModelForCausalLM, AutoTokenizer

from core.errors import BadData, BadRequest
from core.lm import load, questions
from core.lm.batch import Example, collate
from core.lm.generation import generate
from core.lm.load import examine, forget_models, load_model, load_reader
from core.lm.prompted import FastPrompted, GenericPrompted, build_prompted
from core.specs import ModelSpec
from tests.unit.lm.families import write_family, write_tokenizer

pytestmark = [
    pytest.mark.usefixtures("nothing_in_memory"),
    pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning", "ignore::DeprecationWarning"),
]


@pytest.fixture
def family(tmp_path: Path):
    """Return what writes a random model of a family."""
    return lambda name, beginning="": write_family(tmp_path / name, name, beginning)


@pytest.fixture
def copied(tiny_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_folder, tmp_path / "copied"))


def spec(folder: Path, dtype: Any = "float32") -> ModelSpec:
    return ModelSpec(name=str(folder), device="cpu", dtype=dtype)


def change_weights(folder: Path, **changes: Any) -> None:
    path = folder / "model.safetensors"
    weights = load_file(path)
    for name, change in changes.items():
        change(weights[name.replace("__", ".")])
    save_file(weights, path, metadata={"format": "pt"})


def change_config(folder: Path, **settings: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **settings}))


def test_a_model_that_passes_everything(tiny_folder, store):
    found = examine(spec(tiny_folder), store)
    assert {answer.stops for answer in found.answers} == {"nothing"}
    assert found.abilities == questions.Abilities()
    told = {answer.question: answer.answer for answer in found.answers}
    assert told["stream"] == "3 blocks, one vector of 32 numbers per token"
    assert told["context"] == "1024 positions"
    assert told["fast forward"] == "gives the model's own logits"


def test_answers_are_kept_by_weights_and_asked_again_of_others(copied, store, monkeypatch):
    asked = []
    real = load.ask
    monkeypatch.setattr(load, "ask", lambda frozen: asked.append(frozen.revision) or real(frozen))
    first = load_model(spec(copied), store)
    forget_models()
    assert load_model(spec(copied), store).abilities == first.abilities
    assert len(asked) == 1
    change_weights(copied, model__norm__weight=lambda weight: weight.mul_(2))
    forget_models()
    load_model(spec(copied), store)
    load_model(spec(copied, "bfloat16"), store)
    assert len(asked) == 3


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Gemma 3n", r"its stream is not one vector per token: .* the shape \(4, 1, 10, 32\); choose"),
        ("XLNet", "its stream is not one vector per token"),
        ("RoBERTa", "is not a causal language model: its tokens see what follows; choose"),
        ("BART", r"is an encoder with a decoder \(bart\), which priorscope does not read; choose"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_line(family, store, name, words):
    with pytest.raises(BadRequest, match=words) as refused:
        load_reader(spec(family(name)), store)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("OPT-350m", "its embeddings are 16 wide and its stream 32; choose another causal language model"),
        ("Gemma 4", "it does not read embeddings in place of tokens .*; choose another causal language model"),
    ],
)
def test_what_takes_no_vectors_can_be_read_and_not_tuned(family, store, name, words):
    folder = family(name)
    assert load_reader(spec(folder), store).d_model == 32
    with pytest.raises(BadRequest, match=f"can be looked at on Activations, but not tuned .*: {words}"):
        load_model(spec(folder), store)


@pytest.mark.parametrize("name", ["RecurrentGemma", "RWKV", "GPT-2"])
@pytest.mark.parametrize("n_vectors", [0, 2])
def test_generation_is_what_reading_again_gives_whatever_the_cache(family, store, name, n_vectors):
    frozen = load_model(spec(family(name)), store)
    assert frozen.abilities.cache is (name == "GPT-2")
    text, expected = frozen.tokenizer("The dog").input_ids, []
    embed = frozen.model.get_input_embeddings()
    prompt = embed(torch.tensor([5, 9][:n_vectors], dtype=torch.int64)).detach()
    for _ in range(4):
        inputs = torch.cat((prompt, embed(torch.tensor([*text, *expected]))))[None]
        expected.append(int(frozen.model(inputs_embeds=inputs, use_cache=False).logits[0, -1].argmax()))
    assert generate(build_prompted(frozen), prompt[None], [text], 4, ()) == [expected]


def test_the_tokenizers_own_beginning_is_read_in_tuning_as_in_a_capture(family, store):
    frozen = load_model(spec(family("GLM", "[gMASK] <sop>")), store)
    assert frozen.beginning == (2, 3)
    ids = frozen.tokenizer("The dog ran").input_ids
    assert ids[:2] == [2, 3]
    own, label = tuple(ids[2:]), (-100,) * (len(ids) - 3)
    batch = collate([Example(own, (*label, own[-1]))])
    expected = frozen.model(input_ids=torch.tensor([ids])).logits[0, -2]
    found = build_prompted(frozen).loss(torch.zeros(1, 0, 32), batch)
    torch.testing.assert_close(found, functional.cross_entropy(expected[None], torch.tensor([own[-1]])))


def test_a_nameless_beginning_is_read_by_both_forwards(family, store):
    frozen = load_model(spec(family("Llama", "<s>")), store)
    assert frozen.tokenizer.bos_token is None
    assert frozen.beginning == (2,)
    fast, generic = FastPrompted(frozen), GenericPrompted(frozen)
    batch = collate([Example((40, 41, 42, 43), (-100, 41, 42, 43))])
    prompt = frozen.model.get_input_embeddings()(torch.tensor([[7, 8]])).detach()
    torch.testing.assert_close(fast.logits(prompt, batch), generic.logits(prompt, batch), rtol=1e-4, atol=1e-5)


def test_a_fast_forward_that_differs_is_not_taken_and_said(family, store, monkeypatch, caplog):
    folder = family("Llama")
    honest = FastPrompted.logits
    monkeypatch.setattr(FastPrompted, "logits", lambda *asked: honest(*asked) * 1.01)
    frozen = load_model(spec(folder), store)
    assert isinstance(build_prompted(frozen), GenericPrompted)
    assert "is run by its own forward; of the fast one: its logits differ" in caplog.text
    with pytest.raises(BadRequest, match=r"the mapped forward was tried and its logits differ .* 'soft'"):
        FastPrompted(frozen, "before_bos", (1,), kept=False)


def test_a_tokenizer_larger_than_the_matrix_is_refused_with_both_sizes(copied, store):
    tokenizer: Any = AutoTokenizer.from_pretrained(copied)
    tokenizer.add_tokens(["<image>"], special_tokens=True)
    tokenizer.save_pretrained(copied)
    assert load_reader(spec(copied), store).n_vocabulary == 99, "a reserved token that no text gives"
    tokenizer.add_tokens(["dog"])
    tokenizer.save_pretrained(copied)
    with pytest.raises(BadRequest, match=r"tokens up to 100 \('dog'\) but its embedding matrix only 99 rows; enlarge"):
        load_reader(spec(copied), store)


def test_weights_that_are_not_finite_are_named(copied, store):
    change_weights(copied, model__norm__weight=lambda weight: weight[3:].fill_(float("nan")))
    with pytest.raises(BadRequest, match=r"the tensor model.norm.weight is not finite; fetch or copy the weights"):
        load_reader(spec(copied), store)


def test_weights_beyond_float16_name_the_formats_that_hold_them(copied, store):
    change_weights(copied, model__norm__weight=lambda weight: weight.fill_(1e5))
    load_reader(spec(copied), store)
    with pytest.raises(BadRequest, match=r"model.norm.weight is not finite in float16, .* choose dtype 'bfloat16' or"):
        load_reader(spec(copied, "float16"), store)


def test_activations_beyond_float16_are_told_as_such(copied, store):
    change_weights(copied, model__norm__weight=lambda weight: weight.fill_(6e4))
    change_weights(copied, model__embed_tokens__weight=lambda weight: weight.mul_(1e4))
    with pytest.raises(BadRequest, match=r"what it computes is not finite in float16, .* choose dtype 'bfloat16'"):
        load_reader(spec(copied, "float16"), store)


def test_more_blocks_in_the_weights_than_in_the_config_are_refused(copied, store):
    change_config(copied, num_hidden_layers=2)
    with pytest.raises(BadData, match=r"hold 3 blocks and its config.json says 2; fetch both from the same revision"):
        load_reader(spec(copied), store)


def test_a_quantised_model_without_its_package_is_a_bad_request(copied, store):
    change_config(copied, quantization_config={"quant_method": "gptq", "bits": 4, "group_size": 128, "dataset": "c4"})
    with pytest.raises(BadRequest, match=r"needs a package that is not installed .*; install it, or choose"):
        load_reader(spec(copied), store)


def test_generation_ends_with_the_context(family, store):
    frozen = load_model(spec(family("GPT-2")), store)
    text = [40] * 125
    for n_vectors, n_new in ((0, 3), (2, 1), (3, 0)):
        found = generate(build_prompted(frozen), torch.zeros(1, n_vectors, 32), [text], 9, ())
        assert len(found[0]) == n_new


def test_attention_is_the_fast_one_where_a_family_has_it(family, store):
    assert load_reader(spec(family("Llama")), store).model.config._attn_implementation == "sdpa"
    assert load_reader(spec(family("Bloom")), store).model.config._attn_implementation == "eager"


def test_a_model_with_all_its_shards_is_loaded_as_whole(tiny_folder, store, tmp_path):
    AutoModelForCausalLM.from_pretrained(tiny_folder).save_pretrained(tmp_path / "parts", max_shard_size="20KB")
    write_tokenizer(tmp_path / "parts")
    frozen = load_model(spec(tmp_path / "parts"), store)
    whole = AutoModelForCausalLM.from_pretrained(tiny_folder).state_dict()
    assert all(torch.equal(whole[name], tensor) for name, tensor in frozen.model.state_dict().items())


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"num_hidden_layers": 10**9}, r"says 1000000000 blocks and the weights hold \d+ tensors; fetch both"),
        ({"max_position_embeddings": 10**15}, "has max_position_embeddings 10{15}, beyond 100,000,000; fetch"),
        ({"model_type": "abacus"}, "cannot be loaded as a causal language model"),
        ({"text_config": []}, "cannot be loaded as a causal language model"),
    ],
)
def test_a_config_that_no_weights_are_of_ends_in_one_line(copied, store, settings, words):
    change_config(copied, **settings)
    with pytest.raises(BadRequest, match=words):
        load_reader(spec(copied), store)


def test_a_pipe_in_the_folder_is_not_waited_for(copied, store):
    os.mkfifo(copied / "tokenizer.model")
    with pytest.raises(BadData, match=r"holds 'tokenizer.model', a pipe, a device or a broken link; remove it"):
        load_reader(spec(copied), store)


@pytest.mark.parametrize("shard", ["../config.json", "/etc/passwd"])
def test_an_index_names_files_of_its_folder_only(copied, store, shard):
    (copied / "model.safetensors").unlink()
    (copied / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": shard}}))
    with pytest.raises(
        BadData, match=r"model.safetensors.index.json of .* names .*, which is not a file in the folder; fetch it"
    ):
        load_reader(spec(copied), store)


def test_a_tokenizer_that_its_library_cannot_read_ends_in_one_line(copied, store):
    (copied / "tokenizer.json").write_text('{"version": "1.0", "model": {"type": "BPE", "merges": [[[[]]]]}}')
    with pytest.raises(BadRequest, match=r"The tokenizer of .* cannot be loaded .*; put its tokenizer.json beside"):
        load_reader(spec(copied), store)
