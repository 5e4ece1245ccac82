"""Models: local folders, names that mean nothing, and what a page may know."""

import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from core.errors import BadData, Failed, UnknownName
from core.progress import silent
from core.sources import minilm, packaged, smollm2
from core.sources.models import describe_model, model_revision, resolve_model
from core.specs import ModelSpec
from tests.imports import imported_by


@pytest.fixture
def folder(tiny_folder: Path, tmp_path: Path) -> Path:
    """Return a copy that a test may spoil."""
    return Path(shutil.copytree(tiny_folder, tmp_path / "tiny"))


def revision(folder: Path, store) -> str:
    return resolve_model(ModelSpec(name=str(folder)), store).revision


def test_a_folder_is_taken_as_it_is(folder, store):
    files = resolve_model(ModelSpec(name=str(folder)), store)
    assert files.folder == folder
    assert files.provenance["source"] == "folder"
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= set(files.provenance["files_sha256"])
    assert files.revision == model_revision(ModelSpec(name=str(folder)))


def test_the_revision_names_the_content_not_the_place(folder, tiny_folder, store):
    assert revision(folder, store) == revision(tiny_folder, store)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
def test_the_revision_changes_with_each_file_that_matters(folder, tiny_folder, store, name):
    (folder / name).write_bytes((folder / name).read_bytes() + b" ")
    assert revision(folder, store) != revision(tiny_folder, store)


def test_the_revision_does_not_change_with_a_readme(folder, tiny_folder, store):
    (folder / "README.md").write_text("hello")
    assert revision(folder, store) == revision(tiny_folder, store)


def test_pickled_weights_are_refused(folder, store):
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(BadData, match=r"only pickled weights, which can run any code.*save_pretrained"):
        resolve_model(ModelSpec(name=str(folder)), store)


def test_missing_weights_are_named(folder, store):
    (folder / "model.safetensors").unlink()
    with pytest.raises(BadData, match="no safetensors weights"):
        resolve_model(ModelSpec(name=str(folder)), store)


def test_an_index_beside_a_whole_file_is_not_what_is_loaded(folder, tiny_folder, store):
    plain = revision(folder, store)
    save_file({"a": np.zeros(3, np.float32)}, folder / "one.safetensors")
    (folder / "model.safetensors.index.json").write_text('{"weight_map": {"a": "one.safetensors"}}')
    with_index = revision(folder, store)
    whole = load_file(folder / "model.safetensors")
    save_file({name: 3 * tensor for name, tensor in whole.items()}, folder / "model.safetensors", {"format": "pt"})
    assert len({plain, with_index, revision(folder, store)}) == 3


def test_an_adapter_beside_the_weights_is_refused(folder, store):
    (folder / "adapter_config.json").write_text('{"peft_type": "LORA"}')
    with pytest.raises(BadData, match=r"holds an adapter \(adapter_config\.json\) beside the model.*merge it"):
        resolve_model(ModelSpec(name=str(folder)), store)


@pytest.mark.parametrize(
    ("index", "message"),
    [
        ('{"weight_map": {"a": "one.safetensors"}}', r"lacks 1 of 1 weight files \(one\.safetensors\)"),
        ("{}", r"model\.safetensors\.index\.json of .* has no 'weight_map'; fetch the model"),
    ],
)
def test_an_index_whose_weights_are_missing_is_named(folder, store, index, message):
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors.index.json").write_text(index)
    with pytest.raises(BadData, match=message):
        resolve_model(ModelSpec(name=str(folder)), store)
    assert not describe_model(ModelSpec(name=str(folder)), store).present


def test_a_folder_without_config_is_refused(tmp_path, store):
    with pytest.raises(BadData, match=r"holds no config\.json"):
        resolve_model(ModelSpec(name=str(tmp_path)), store)


def test_the_home_of_nobody(store):
    with pytest.raises(BadData, match=r"The folder '~no-such-person/x' cannot be found .*write its whole path"):
        resolve_model(ModelSpec(name="~no-such-person/x"), store)
    assert "cannot be found" in describe_model(ModelSpec(name="~no-such-person/x"), store).where


def test_a_folder_that_is_not_there(tmp_path, store):
    with pytest.raises(BadData, match="There is no folder"):
        resolve_model(ModelSpec(name=str(tmp_path / "none")), store)


@pytest.mark.parametrize("name", ["smollm2-135", "a/b/c", "owner/"])
def test_a_name_that_means_nothing(store, name):
    with pytest.raises(UnknownName, match=r"known: all-minilm-l6-v2, smollm2-135m, t5-base.*owner/name"):
        resolve_model(ModelSpec(name=name), store)


def test_facts_of_a_folder(tiny_folder, store):
    facts = describe_model(ModelSpec(name=str(tiny_folder)), store)
    assert (facts.n_layers, facts.d_model, facts.n_vocabulary, facts.max_positions) == (3, 32, 99, 1024)
    assert facts.present


def test_facts_of_the_default_model_are_known_before_it_is_fetched(store):
    facts = describe_model(ModelSpec(), store)
    assert (facts.n_layers, facts.d_model, facts.n_vocabulary, facts.max_positions) == (30, 576, 49152, 8192)
    assert not facts.present
    assert "package index" in facts.where
    assert model_revision(ModelSpec()) == smollm2.REVISION, "known before it is fetched"


@pytest.mark.parametrize("text", ["{", "[]"])
def test_facts_say_what_is_wrong_with_a_config(folder, store, text):
    (folder / "config.json").write_text(text)
    facts = describe_model(ModelSpec(name=str(folder)), store)
    assert facts.n_layers is None
    assert not facts.present
    assert "config.json in 'tiny' is not" in facts.where


def test_facts_of_nonsense_say_so(store):
    facts = describe_model(ModelSpec(name="nonsense"), store)
    assert facts.d_model is None
    assert "Unknown model 'nonsense'" in facts.where


def test_importing_the_sources_is_light():
    found = imported_by("core.sources.models", "core.sources.datasets", "core.sources.report")
    assert "core.sources.models" in found
    assert not found & {"torch", "transformers", "huggingface_hub", "datasets", "pandas"}


def test_wrong_weights_in_the_wheel_are_refused(store, tmp_path, monkeypatch):
    gguf = tmp_path / "some.gguf"
    gguf.write_bytes(b"GGUF")
    monkeypatch.setattr(packaged, "fetch_wheel", lambda *_: gguf)
    with pytest.raises(Exception, match=rf"instead of {smollm2.GGUF_SHA256}") as caught:
        resolve_model(ModelSpec(), store)
    assert caught.type.__name__ == "Failed"


def test_a_full_disk_is_said_before_anything_is_fetched(store, monkeypatch):
    usage = shutil.disk_usage(store.root)._replace(free=1_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    monkeypatch.setattr(packaged, "fetch_wheel", lambda *_: pytest.fail("fetched although the disk is full"))
    with pytest.raises(Exception, match=r"Fetching smollm2-135m needs \d+ MB but .* has 1 MB free") as caught:
        resolve_model(ModelSpec(), store)
    assert caught.type.__name__ == "DiskFull"


def test_a_conversion_with_other_special_tokens_is_refused(tmp_path):
    (tmp_path / "config.json").write_text('{"num_hidden_layers": 30, "eos_token_id": 5}')
    with pytest.raises(Exception, match=r"unexpected values .*'eos_token_id': 5"):
        smollm2.check_converted(tmp_path)


@pytest.mark.registry
def test_smollm2_from_the_package_index(registry_store, monkeypatch):
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    files = resolve_model(ModelSpec(), registry_store)
    assert files.revision == smollm2.REVISION == model_revision(ModelSpec())
    assert describe_model(ModelSpec(), registry_store).present
    assert "quantization_config" not in (files.folder / "config.json").read_text()
    tokenizer = AutoTokenizer.from_pretrained(files.folder)
    assert (tokenizer.bos_token, tokenizer.eos_token, tokenizer.pad_token, tokenizer.unk_token) == (
        "<|im_start|>",
        "<|im_end|>",
        "<|im_end|>",
        "<|endoftext|>",
    )
    assert "<|im_start|>assistant" in tokenizer.apply_chat_template(
        [{"role": "user", "content": "hi"}], add_generation_prompt=True, tokenize=False
    )
    ids = tokenizer("The capital of France is", return_tensors="pt")
    assert tokenizer.decode(ids["input_ids"][0]) == "The capital of France is"
    model = AutoModelForCausalLM.from_pretrained(files.folder, use_safetensors=True, dtype=torch.float32)
    with torch.no_grad():
        next_id = int(model(**ids).logits[0, -1].argmax())
    assert tokenizer.decode([next_id]) == " Paris"
    monkeypatch.setattr(packaged, "fetch_wheel", lambda *_: pytest.fail("fetched twice"))
    assert resolve_model(ModelSpec(), registry_store) == files
    assert not any(
        kind == "package" and (folder / "SmolLM2-135M-Instruct.Q4_1.gguf").exists()
        for kind, _, folder in registry_store.artifacts()
    )


def zipped(path: Path, **files: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "."), content)
    return path


def test_an_archive_of_minilm_without_a_file_is_refused(tmp_path):
    with pytest.raises(Failed, match=r"cannot be unpacked .*model.safetensors.*; run `python -m core cache verify`"):
        minilm.unpack(zipped(tmp_path / "model.zip", config__json=b"{}"), tmp_path, silent)


def test_other_weights_of_minilm_are_refused(tmp_path):
    files = dict.fromkeys((name.replace(".", "__") for name in minilm.FILES), b"{}")
    with pytest.raises(Failed, match=rf"have SHA-256 \w+ instead of {minilm.WEIGHTS_SHA256}; run"):
        minilm.unpack(zipped(tmp_path / "model.zip", **files), tmp_path, silent)
