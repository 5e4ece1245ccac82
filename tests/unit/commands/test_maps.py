"""`maps`: names given, shown, changed and taken away from a shell."""

import numpy as np
import pytest

from core.activations.vocabulary import vocabulary_cloud
from core.jobs.projection import fit_projection
from core.progress import silent
from core.specs import ModelSpec, ProjectionSpec
from core.store import create_job
from core.store.vectors import keep_vectors


@pytest.fixture
def fitted(store, tiny_folder):
    """Return the keys of a frozen map and of a joint fit."""
    model = ModelSpec(name=str(tiny_folder))
    vocabulary_cloud(model, store)
    spec = ProjectionSpec(model=model, vocabulary=True, n_points=50)
    joined = spec.model_copy(update={"joined": keep_vectors(np.ones((3, 32)), store)})
    job = create_job(store, "projection", {}, "p-1")
    return tuple(fit_projection(each, job, store, silent)["key"] for each in (spec, joined))


def test_a_map_is_named_listed_shown_renamed_and_let_go(ask, call, fitted, store):
    key, _ = fitted
    assert ask("maps", "list") == {"maps": []}
    assert ask("maps", "name", key, "Vocabulary")["map"] == "Vocabulary"
    (row,) = ask("maps", "list")["maps"]
    assert (row["map"], row["key"], row["method"], row["site"], row["stored"]) == ("Vocabulary", key, "pca", 0, True)
    shown = ask("maps", "show", "vocabulary")
    assert shown["fit"]["n_points"] == 50
    assert shown["fit"]["clouds_missing"] == []
    assert shown["spec"]["vocabulary"] is True
    assert ask("maps", "rename", "Vocabulary", "Words")["map"] == "Words"
    code, out, _ = call("maps", "list")
    assert code == 0
    assert out.splitlines()[1].startswith("Words")
    assert [entry["kind"] for entry in ask("cache", "prune", "--kind", "map")["would_delete"]] == ["map"]
    assert ask("maps", "delete", "Words") == {"deleted": "Words", "key": key}
    assert len(ask("cache", "prune", "--kind", "map")["would_delete"]) == 2


def test_what_of_a_map_is_gone_is_told(ask, fitted, store):
    key, _ = fitted
    ask("maps", "name", key, "Vocabulary")
    (cloud,) = [name for kind, name, _ in store.artifacts() if kind == "vocabulary"]
    store.remove("vocabulary", cloud)
    assert ask("maps", "show", "Vocabulary")["fit"]["clouds_missing"] == [cloud]
    store.remove("map", key)
    shown = ask("maps", "show", "Vocabulary")
    assert (shown["stored"], shown["fit"]) == (False, None)


def test_bad_names_and_maps_are_refused(call, ask, fitted):
    key, joint = fitted
    ask("maps", "name", key, "Vocabulary")
    for arguments, reason in [
        (("name", "nothing", "x"), "There is no map 'nothing' in the store"),
        (("name", joint, "x"), "is a joint fit with 3 vectors, so it is not frozen and cannot be named"),
        (("show", "Vocabulry"), "Did you mean 'Vocabulary'?"),
        (("rename", "Vocabulary", "  "), "give 1 to 80 characters"),
        (("delete", "other"), "Unknown map name 'other'; known: Vocabulary."),
    ]:
        code, _, err = call("maps", *arguments)
        assert code == 2
        assert reason in err
