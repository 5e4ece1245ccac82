"""A prompt in words on a tiny model, against the vocabulary itself and what the run measured."""

from typing import Any

import numpy as np
import pytest

from core.activations.clouds import find_vocabulary
from core.analysis.distances import nearest_cosine, nearest_euclidean
from core.errors import BadRequest
from core.jobs.measure import tuning_spec
from core.jobs.words import find_words, words_spec
from core.lm.head import read_by_head
from core.lm.load import load_model
from core.store.prompts import read_prompts
from tests.jobs import attempt, done

DEEP = {"method": "deep", "prompt_sites": (0, -1), "prior": {"kind": "gaussian"}}


def words_of(run, kept):
    spec = words_spec(run)
    assert find_words(spec, kept) is None
    done("words", spec, kept)
    found = find_words(spec, kept)
    assert found is not None
    return found


def test_the_nearest_tokens_are_rows_of_the_vocabulary_and_the_first_is_the_nearest(tuned, kept):
    run = tuned()
    table, prompts = words_of(run, kept).table, read_prompts(run)
    vocabulary = find_vocabulary(tuning_spec(run).model, kept)
    assert vocabulary is not None
    assert prompts is not None
    tokens = vocabulary.rows["token"].to_numpy()
    rows = vocabulary.points(0)
    for ending, vectors in (("", prompts.posterior(0)), (" before", prompts.prior(0))):
        for name, near in (("cosine", nearest_cosine), ("distance", nearest_euclidean)):
            column = table[f"near by {name}{ending}"]
            assert [words[0] for words in column] == tokens[near(vectors, rows)[0]].tolist()
            assert all(len(set(words)) == 3 for words in column)


def test_the_output_matrix_reads_a_row_of_its_own_as_the_largest_logit(tuned, kept):
    run = tuned()
    frozen = load_model(tuning_spec(run).model, kept)
    stream = np.random.default_rng(0).normal(size=(4, frozen.d_model)).astype(np.float32)
    ids = read_by_head(frozen, stream, 2)
    model: Any = frozen.model
    weight = model.get_output_embeddings().weight.detach().float().numpy()
    norm = model.get_decoder().norm.weight.detach().float().numpy()
    normed = stream / np.sqrt((stream**2).mean(axis=1, keepdims=True) + 1e-6) * norm
    np.testing.assert_array_equal(ids[:, 0], (normed @ weight.T).argmax(axis=1))


def test_the_tuned_loss_is_that_of_the_run_and_deep_prompts_have_a_row_per_site(tuned, kept):
    run = tuned(**DEEP)
    found = words_of(run, kept)
    losses = found.summary["losses"]
    assert losses["tuned"] == pytest.approx((run.result() or {})["validation"]["loss"], rel=1e-5)
    assert set(losses) == {"tuned", "snapped by cosine", "snapped by distance"}
    prompts = read_prompts(run)
    assert prompts is not None
    assert found.table["site"].unique().tolist() == list(prompts.sites)
    assert len(found.table) == prompts.vectors.shape[1] * prompts.vectors.shape[2]


def test_a_posterior_that_has_changed_is_refused(tuned, kept):
    spec = words_spec(tuned()).model_copy(update={"posterior": "0" * 16})
    job = attempt("words", spec, kept)
    assert "is no longer 0000000000000000; ask for it again." in job.status().error
    with pytest.raises(BadRequest, match="has no posterior"):
        words_spec(job_without_posterior(kept))


def job_without_posterior(kept):
    from core.store import create_job

    return create_job(kept, "tune", {}, "t-empty")
