"""The stored request that is nearest to one that is not stored."""

import pytest

from core.specs import AtlasSpec, CloudSpec, DatasetSpec, ModelSpec, PathsSpec
from core.specs.cloud import TokenFilter
from core.specs.nearest import differences, nearest

NEWS = DatasetSpec(samples=200)
ASKED = CloudSpec(dataset=NEWS, sites=(3,))


def cloud(**other) -> CloudSpec:
    samples = other.pop("samples", 200)
    return ASKED.model_copy(update={"dataset": DatasetSpec(samples=samples), **other})


def test_what_is_stored_is_at_distance_none():
    found = nearest(ASKED, [cloud(rows=100), ASKED])
    assert found is not None
    assert found.spec == ASKED
    assert found.differences == ()


def test_the_fewest_differing_fields_win_and_then_the_newest():
    one, other, far = cloud(samples=150), cloud(max_length=128), cloud(samples=150, max_length=128)
    for stored, expected in (([far, one, other], one), ([far, other, one], other), ([far], far)):
        found = nearest(ASKED, stored)
        assert found is not None
        assert found.spec == expected


def test_the_same_data_set_is_nearer_than_any_other():
    other = ASKED.model_copy(update={"dataset": DatasetSpec(name="squad", samples=200)})
    far = cloud(samples=150, max_length=128, rows=20, seed=3)
    found = nearest(ASKED, [other, far])
    assert found is not None
    assert found.spec == far


def test_another_model_or_kind_is_never_near():
    elsewhere = ASKED.model_copy(update={"model": ModelSpec(name="another")})
    of_a_revision = ASKED.model_copy(update={"model": ModelSpec(revision="abc")})
    assert nearest(ASKED, [elsewhere, of_a_revision]) is None
    assert nearest(PathsSpec(dataset=NEWS), [ASKED]) is None  # pyright: ignore[reportArgumentType]
    assert nearest(ASKED, []) is None
    assert nearest(DatasetSpec(), [NEWS]) is None, "it names no model"


@pytest.mark.parametrize(
    ("stored", "words"),
    [
        (cloud(samples=1500), "samples 1,500 instead of 200"),
        (cloud(max_length=128, rows=20), "points 20 instead of 5,000, longest text 128 instead of 512"),
        (cloud(tokens=TokenFilter(special=True)), "keep special tokens on instead of off"),
        (cloud(tokens=TokenFilter(sink_ratio=2.5)), "drop sinks above 2.5 instead of none"),
        (cloud(sites=(1, "final")), "sites 1, final instead of 3"),
        (
            ASKED.model_copy(update={"dataset": DatasetSpec(name="math", samples=200)}),
            "data set math · arithmetic__add_or_sub instead of news",
        ),
    ],
)
def test_it_says_in_words_what_differs(stored, words):
    found = nearest(ASKED, [stored])
    assert found is not None
    assert found.words == words


@pytest.mark.parametrize(("sites", "differ"), [("all", 0), ((0, 3), 0), ((3, "final"), 0), ((0,), 1)])
def test_further_sites_are_no_difference(sites, differ):
    assert len(list(differences(ASKED, cloud(sites=sites)))) == differ


def test_all_sites_are_more_than_some():
    every = cloud(sites="all")
    assert [one.words for one in differences(every, ASKED)] == ["sites 3 instead of all"]


def test_a_difference_that_several_clouds_share_is_told_once_and_has_a_path_in_each():
    asked = AtlasSpec(clouds=(cloud(sites="all"), cloud(sites="all", seed=1)))
    stored = AtlasSpec(clouds=(cloud(sites="all", samples=50), cloud(sites="all", seed=1, samples=50)))
    found = nearest(asked, [stored])
    assert found is not None
    assert [one.path for one in found.differences] == ["clouds.0.dataset.samples", "clouds.1.dataset.samples"]
    assert found.words == "samples 50 instead of 200"


def test_another_number_of_clouds_is_one_difference():
    asked = AtlasSpec(clouds=(cloud(sites="all"),))
    both = AtlasSpec(clouds=(cloud(sites="all"), cloud(sites="all", dataset=DatasetSpec(name="math"))))
    found = nearest(asked, [both])
    assert found is not None
    assert [one.path for one in found.differences] == ["clouds"]
    assert found.words == "clouds news, math · arithmetic__add_or_sub instead of news"
