"""Specs of maps: what is left out, so that stored maps keep their keys."""

import pytest

from core.errors import BadRequest
from core.specs import ProjectionSpec
from core.specs.projection import PlacementSpec


def test_a_map_from_before_the_later_fields_keeps_its_key():
    text = (
        '{"clouds":[],"exaggeration":1.0,"method":"tsne","model":{"device":"auto","dtype":"auto",'
        '"name":"smollm2-135m","revision":null},"n_components":2,"n_iterations":500,"n_points":5000,'
        '"perplexity":30.0,"seed":0,"site":0,"vocabulary":true}'
    )
    spec = ProjectionSpec(vocabulary=True, method="tsne")
    assert spec.canonical_json() == text
    assert spec.fingerprint() == "93b1334cbd60afff"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("further_perplexities", "100,500"),
        ("early_exaggeration", 4),
        ("n_early_iterations", 100),
        ("learning_rate", 200),
        ("input_components", 20),
        ("joined", "abc"),
    ],
)
def test_a_later_field_tells_maps_apart_where_it_plays_a_part(field, value):
    plain = ProjectionSpec(vocabulary=True, method="tsne")
    changed = ProjectionSpec.parse({"vocabulary": True, "method": "tsne", field: value})
    assert changed.fingerprint() != plain.fingerprint()
    assert ProjectionSpec.parse(changed.canonical_json()) == changed
    pca = ProjectionSpec.parse({"vocabulary": True, field: value})
    assert (pca.fingerprint() == ProjectionSpec(vocabulary=True).fingerprint()) == (field != "joined")


def test_perplexities_are_sorted_and_each_counts_once():
    spec = ProjectionSpec.parse({"vocabulary": True, "method": "tsne", "further_perplexities": "500, 100,30"})
    assert spec.perplexities == (30, 100, 500)
    assert ProjectionSpec.parse({"vocabulary": True, "further_perplexities": ""}).further_perplexities == ()


@pytest.mark.parametrize(
    ("value", "message"), [("many", "must be numbers, such as 100,500"), ("900", "less than or equal to 500")]
)
def test_wrong_perplexities_are_named(value, message):
    with pytest.raises(BadRequest, match=f"further_perplexities.*{message}"):
        ProjectionSpec.parse({"vocabulary": True, "further_perplexities": value})


@pytest.mark.parametrize("wish", [{}, {"vectors": "a", "cloud": {}}])
def test_a_placement_is_of_a_cloud_or_of_vectors(wish):
    with pytest.raises(BadRequest, match="name either a cloud or stored vectors"):
        PlacementSpec.parse({"map": "m", **wish})
