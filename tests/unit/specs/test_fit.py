import pytest

from core.errors import BadRequest
from core.specs import CloudSpec, FitSpec, ModelSpec, parse_prior

CLOUD = CloudSpec(sites=(0, 3))


def test_the_vocabulary_or_a_site_of_the_reference():
    assert FitSpec(prior=parse_prior("vae")).site == 0
    spec = FitSpec(prior=parse_prior("vae"), reference=CLOUD, site=3)
    assert FitSpec.parse(spec.as_json()) == spec


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"site": 3}, "the vocabulary is at site 0, not 3; choose site 0 or a reference"),
        ({"reference": CLOUD, "site": 2}, "the reference has no site 2, only: 0, 3; choose one of those"),
        (
            {"reference": CLOUD, "model": ModelSpec(name="another/model")},
            "the reference must be of the fit's own model; choose activations of that model",
        ),
    ],
)
def test_a_place_that_there_is_not(wrong: dict, reason: str):
    with pytest.raises(BadRequest) as caught:
        FitSpec.parse({"prior": "vae", **wrong})
    assert reason in str(caught.value)
