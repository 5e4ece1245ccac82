"""An exported adapter, loaded by PEFT itself."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

from core.errors import BadRequest
from core.exchange.peft_adapter import base_model, export_peft
from core.lm.batch import IGNORED, Example, collate
from core.lm.generation import generate
from core.lm.load import load_model
from core.lm.prompted import build_prompted
from core.store import create_job
from core.store.prompts import read_prompt
from tests.unit.jobs.measured import tuned, tuning

IDS = (40, 12, 7, 55, 23, 9)
N_NEW = 8


@pytest.fixture
def spec(tiny_folder: Path, tmp_path: Path):
    return tuning(tiny_folder, tmp_path / "sums.jsonl")


def adapted(folder: Path, base: Path) -> Any:
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    return PeftModel.from_pretrained(model, folder).eval()


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")  # PEFT asks for it
@pytest.mark.filterwarnings("ignore:Position ids are not supported:UserWarning")  # generate gives it some
def test_peft_gives_the_same_logits_and_text(spec, tiny_folder, store, tmp_path):
    run = tuned(spec, store, "t-1")
    document = export_peft(run, tmp_path / "adapter")
    assert document["shape"] == [4, 32]
    frozen = load_model(spec.model, store)
    ours = build_prompted(frozen)
    prompt = torch.tensor(read_prompt(run.path / "posterior.safetensors")[1])
    bos = frozen.tokenizer.bos_token_id
    starts_with_bos = frozen.tokenizer("a").input_ids[0] == bos
    text = torch.tensor([[bos, *IDS] if starts_with_bos else list(IDS)])
    peft_model = adapted(tmp_path / "adapter", tiny_folder)
    with torch.no_grad():
        theirs = peft_model(input_ids=text).logits[0, -len(IDS) :]
    batch = collate([Example(IDS, (IGNORED, *IDS[1:]))])
    logits = ours.logits(prompt, batch).detach()
    np.testing.assert_allclose(logits.numpy(), theirs[:-1].numpy(), atol=1e-5)
    with torch.no_grad():
        plain = peft_model.get_base_model()(input_ids=text).logits[0, -len(IDS) :]
    assert not np.allclose(plain.numpy(), theirs.numpy(), atol=1e-3), "the prompt must matter for this to say anything"

    ours_new = generate(ours, prompt, [IDS], N_NEW, stop=())[0]
    new = peft_model.generate(input_ids=text, max_new_tokens=N_NEW, do_sample=False, eos_token_id=None, pad_token_id=0)
    assert new[0, text.shape[1] :].tolist() == ours_new


def test_provenance_lies_beside_the_adapter(spec, store, tmp_path):
    run = tuned(spec, store, "t-1")
    export_peft(run, tmp_path / "adapter")
    beside = json.loads((tmp_path / "adapter" / "priorscope.json").read_text())
    assert beside["run"] == "t-1"
    assert beside["spec"]["prior"]["kind"] == "isotropic"
    assert beside["provenance"]["seeds"] == {"run": 0, "data": 0}
    assert beside["result"]["validation"] == (run.result() or {})["validation"]
    assert str(tmp_path) not in json.dumps(beside), "no place of this machine travels with it"
    assert base_model(spec) == Path(spec.model.name).name


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"method": "deep", "prompt_sites": [1]}, r"Run t-2 has deep prompts, .* docs/runs.md describes"),
        ({"prompt_position": "after_bos"}, r"Run t-2 has its prompt after .* before_bos to export it"),
    ],
)
def test_what_an_adapter_cannot_hold(spec, tiny_folder, store, tmp_path, changes, words):
    run = tuned(tuning(tiny_folder, tmp_path / "sums.jsonl", **changes), store, "t-2")
    with pytest.raises(BadRequest, match=words):
        export_peft(run, tmp_path / "adapter")
    assert not (tmp_path / "adapter").exists()


def test_only_an_ended_run_into_an_empty_folder(spec, store, tmp_path):
    with pytest.raises(BadRequest, match="c-1 is a capture job and has no prompt; name a tuning run"):
        export_peft(create_job(store, "capture", {}, "c-1"), tmp_path / "adapter")
    waiting = create_job(store, "tune", spec.as_json(), "t-3")
    with pytest.raises(BadRequest, match="Run t-3 is queued and has no posterior; wait for its end"):
        export_peft(waiting, tmp_path / "adapter")
    run = tuned(spec, store, "t-1")
    (tmp_path / "file").write_text("")
    with pytest.raises(BadRequest, match=r"file is a file; name a folder with --out"):
        export_peft(run, tmp_path / "file")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("mine")
    with pytest.raises(BadRequest, match=r"full is not empty; name an empty or a new one with --out"):
        export_peft(run, tmp_path / "full")
