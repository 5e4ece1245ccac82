"""Names of artifacts: unique, changed, taken away, and a shield against pruning."""

import json
from pathlib import Path

import pytest

from core.errors import BadRequest, DamagedArtifact, UnknownName
from core.store import Store
from core.store.maintenance import prune
from core.store.names import find_name, forget_name, give_name, list_names, name_of, rename


@pytest.fixture
def keys(store: Store) -> tuple[str, str]:
    def build(folder: Path) -> dict:
        (folder / "a").write_text("a")
        return {}

    for key in ("one", "two"):
        store.make("map", key, {"site": 3}, build)
    return "one", "two"


def test_a_name_is_given_found_changed_and_taken_away(store, keys):
    give_name(store, "map", "  SQuAD and news, site 15 ", keys[0], {"site": 15})
    found = find_name(store, "map", "squad AND news, site 15")
    assert (found.name, found.key, found.spec) == ("SQuAD and news, site 15", "one", {"site": 15})
    assert name_of(store, "map", "one") == found.name
    assert name_of(store, "map", "two") == ""
    assert rename(store, "map", found.name, "Ärger <b>").key == "one"
    assert [named.name for named in list_names(Store(store.root), "map")] == ["Ärger <b>"]
    assert forget_name(store, "map", "Ärger <b>").key == "one"
    assert list_names(store, "map") == []
    assert store.find("map", "one") is not None


def test_an_artifact_has_one_name(store, keys):
    give_name(store, "map", "first", keys[0], {})
    give_name(store, "map", "second", keys[0], {})
    assert [named.name for named in list_names(store, "map")] == ["second"]
    assert give_name(store, "map", "SECOND", keys[0], {}).name == "SECOND"


def test_names_are_listed_in_their_order(store, keys):
    give_name(store, "map", "beta", keys[0], {})
    give_name(store, "map", "Alpha", keys[1], {})
    assert [named.name for named in list_names(store, "map")] == ["Alpha", "beta"]


def test_a_taken_name_names_its_owner(store, keys):
    give_name(store, "map", "mine", keys[0], {})
    give_name(store, "map", "other", keys[1], {})
    for change in (lambda: give_name(store, "map", "Mine", keys[1], {}), lambda: rename(store, "map", "other", "MINE")):
        with pytest.raises(BadRequest, match=r"is taken by another map \(one\); choose another name"):
            change()
    assert name_of(store, "map", "two") == "other"


@pytest.mark.parametrize("name", ["", "   ", "x" * 81, "two\nlines", "a\x00"])
def test_a_bad_name_is_refused(store, keys, name):
    with pytest.raises(BadRequest, match="give 1 to 80 characters on one line"):
        give_name(store, "map", name, keys[0], {})
    give_name(store, "map", "good", keys[0], {})
    with pytest.raises(BadRequest, match="give 1 to 80 characters on one line"):
        rename(store, "map", "good", name)


def test_an_unknown_name_shows_those_there_are(store, keys):
    for change in (find_name, forget_name):
        with pytest.raises(UnknownName, match=r"Unknown map name 'nobody'; known: \(none yet\)"):
            change(store, "map", "nobody")
    give_name(store, "map", "somebody", keys[0], {})
    with pytest.raises(UnknownName, match="Did you mean 'somebody'"):
        rename(store, "map", "sombody", "x")


def test_what_is_not_stored_cannot_be_named(store, keys):
    with pytest.raises(BadRequest, match="'three' is not in the store, so it cannot be named; draw it again"):
        give_name(store, "map", "x", "three", {})


def test_what_has_a_name_is_not_pruned(store, keys):
    give_name(store, "map", "keep me", keys[0], {})
    assert [entry.key for entry in prune(store)] == ["two"]
    assert [entry.key for entry in prune(store, dry_run=False)] == ["two"]
    forget_name(store, "map", "keep me")
    assert [entry.key for entry in prune(store)] == ["one"]


@pytest.mark.parametrize("content", ["{", '[{"name": "x"}]', "[1]"])
def test_names_that_cannot_be_read_are_said_and_nothing_is_pruned(store, keys, content):
    give_name(store, "map", "x", keys[0], {})
    (store.root / "names" / "map.json").write_text(content)
    with pytest.raises(DamagedArtifact, match=r"names of maps in .* cannot be read .* correct that file"):
        prune(store, dry_run=False)
    assert store.find("map", "two") is not None


def test_the_list_is_plain_json(store, keys):
    give_name(store, "map", "x", keys[0], {"site": 1})
    assert json.loads((store.root / "names" / "map.json").read_text())[0]["spec"] == {"site": 1}
