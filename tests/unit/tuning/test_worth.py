import json

import numpy as np
import pytest
import torch
from torch.nn import functional

from core.errors import Cancelled
from core.lm.load import load_model
from core.specs import TuningSpec
from core.tuning import changes as module
from core.tuning.changes import N_ORDERS, TunedPrompt, changes, n_changes
from core.tuning.setup import set_up
from core.tuning.worth import worth

N_PROMPT, D_MODEL = 3, 32


@pytest.fixture
def spec(tiny_folder, tmp_path):
    path = tmp_path / "sums.jsonl"
    rows = [{"q": f"What is {i} + {j}?", "a": str(i + j)} for i in range(8) for j in range(5)]
    path.write_text("\n".join(json.dumps(row) for row in rows))
    data = {"name": "file", "path": str(path), "prompt_column": "q", "answer_column": "a"}
    model = {"name": str(tiny_folder), "device": "cpu", "dtype": "float32"}
    return TuningSpec.parse(
        {"model": model, "dataset": data, "prior": {"kind": "isotropic"}, "n_prompt": N_PROMPT, "n_validation": 6}
    )


def prompts(seed: int = 0, n_sites: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return prior, posterior and snapped vectors."""
    drawn = np.random.default_rng(seed).normal(size=(3, n_sites, N_PROMPT, D_MODEL)).astype(np.float32)
    return drawn[0], 0.5 * drawn[1], 0.3 * drawn[2]


def loss_by_hand(spec, store, prompt: np.ndarray, n_examples: int) -> float:
    """Return the mean cross-entropy a label token by the model's own forward, one example at a time."""
    frozen = load_model(spec.model, store)
    embed = frozen.model.get_input_embeddings()
    losses = []
    for item in set_up(spec, store).held_out.items[:n_examples]:
        ids, labels = torch.tensor(item.example.ids), torch.tensor(item.example.labels)
        begin = embed(torch.tensor(frozen.beginning, dtype=torch.int64))
        inputs = torch.cat([torch.from_numpy(prompt), begin, embed(ids)])
        with torch.no_grad():
            logits = frozen.model(inputs_embeds=inputs[None]).logits[0]
        asked = torch.nonzero(labels >= 0)[:, 0]
        predicted = logits[len(prompt) + len(begin) - 1 + asked]
        losses.append(functional.cross_entropy(predicted, labels[asked], reduction="none"))
    return float(torch.cat(losses).double().mean())


def test_each_change_has_the_loss_that_the_models_own_forward_gives(store, spec):
    prior, posterior, snapped = prompts()
    found = worth(spec, TunedPrompt(prior, posterior, (0,), {0: snapped[0]}), store, 4, 0)
    table = {(row.name, row.vector): row for row in found if row.name != "shuffle"}
    base = posterior[0]
    norm = np.linalg.norm(prior[0], axis=1) / np.linalg.norm(base, axis=1)
    one = np.arange(N_PROMPT)[:, None] == 1
    expected = {
        ("unchanged", None): base,
        ("none", None): base[:0],
        ("drop", 1): base[[0, 2]],
        ("prior", 1): np.where(one, prior[0], base),
        ("snap", 1): np.where(one, snapped[0], base),
        ("half", 1): np.where(one, base / 2, base),
        ("double", 1): np.where(one, base * 2, base),
        ("prior_norm", 1): np.where(one, base * norm[:, None], base),
        ("all_prior", None): prior[0],
        ("all_snap", None): snapped[0],
    }
    unchanged = loss_by_hand(spec, store, base, 4)
    for key, prompt in expected.items():
        loss = loss_by_hand(spec, store, prompt.astype(np.float32), 4)
        assert table[key].loss == pytest.approx(loss, rel=1e-4), key
        assert table[key].delta_loss == pytest.approx(loss - unchanged, abs=5e-4), key
    assert len(found) == n_changes(1, N_PROMPT)
    assert {row.site for row in found} == {None, 0}


def test_shuffled_prompts_are_the_same_vectors_in_other_orders():
    prior, posterior, snapped = prompts()
    drawn = [
        c
        for c in changes(TunedPrompt(prior, posterior, (0,), {0: snapped[0]}), np.random.default_rng(0))
        if c.name == "shuffle"
    ]
    assert len(drawn) == N_ORDERS
    for change in drawn:
        assert not np.array_equal(change.prompt, posterior)
        assert sorted(change.prompt[0].tolist()) == sorted(posterior[0].tolist())


def test_deep_prompts_change_one_site_at_a_time_and_drop_at_all():
    prior, posterior, snapped = prompts(n_sites=2)
    sites = (0, 2)
    found = list(
        changes(TunedPrompt(prior, posterior, sites, dict(zip(sites, snapped, strict=True))), np.random.default_rng(0))
    )
    assert len(found) == n_changes(2, N_PROMPT)
    dropped = [change for change in found if change.name == "drop"]
    assert [(change.site, change.vector, change.prompt.shape[1]) for change in dropped] == [
        (None, vector, N_PROMPT - 1) for vector in range(N_PROMPT)
    ]
    back = next(change for change in found if (change.name, change.site, change.vector) == ("prior", 2, 1))
    different = (back.prompt != posterior).any(axis=2)
    assert np.argwhere(different).tolist() == [[1, 1]]
    assert np.array_equal(back.prompt[1, 1], prior[1, 1])
    whole = [change for change in found if change.name == "all_prior"]
    assert [change.site for change in whole] == [0, 2, None]
    assert np.array_equal(whole[-1].prompt, prior)


def test_a_site_without_a_cloud_is_not_snapped():
    prior, posterior, snapped = prompts(n_sites=2)
    found = list(changes(TunedPrompt(prior, posterior, (0, 2), {0: snapped[0]}), np.random.default_rng(0)))
    assert {change.site for change in found if "snap" in change.name} == {0}


def test_one_vector_has_one_order_only():
    prior, posterior, _ = prompts()
    found = list(changes(TunedPrompt(prior[:, :1], posterior[:, :1], (0,), {}), np.random.default_rng(0)))
    assert all(np.array_equal(c.prompt, found[0].prompt) for c in found if c.name == "shuffle")


def test_it_stops_when_asked(store, spec):
    seen = []

    def cancel(done, total, message=""):
        if message.startswith("Measuring"):
            seen.append((done, total))
            if done == 2:
                raise Cancelled("stop")

    prior, posterior, _ = prompts()
    with pytest.raises(Cancelled):
        worth(spec, TunedPrompt(prior, posterior, (0,), {}), store, 4, 0, cancel)
    assert seen == [(i, n_changes(1, N_PROMPT)) for i in range(3)]


def test_the_same_seed_gives_the_same_orders(store, spec, monkeypatch):
    monkeypatch.setattr(module, "N_ORDERS", 2)
    prior, posterior, _ = prompts()
    first, second = (worth(spec, TunedPrompt(prior, posterior, (0,), {}), store, 2, 5) for _ in range(2))
    assert first == second


def test_a_deep_prompt_is_measured_in_its_own_forward(store, spec):
    deep = spec.model_copy(update={"method": "deep", "prompt_sites": (0, 2)})
    prior, posterior, snapped = prompts(n_sites=2)
    found = worth(deep, TunedPrompt(prior, posterior, (0, 2), {0: snapped[0], 2: snapped[1]}), store, 6, 0)
    table = {(row.name, row.site, row.vector): row for row in found if row.name != "shuffle"}
    changed = posterior.copy()
    changed[1, 2] = prior[1, 2]
    validation = set_up(deep, store).validation
    expected = {
        ("unchanged", None, None): posterior,
        ("prior", 2, 2): changed,
        ("drop", None, 0): posterior[:, 1:],
        ("all_snap", None, None): snapped,
    }
    for key, prompt in expected.items():
        loss = validation.measure(torch.from_numpy(np.ascontiguousarray(prompt)))["loss"]
        assert table[key].loss == pytest.approx(loss, rel=1e-5), key
