"""What finds stored artifacts again: the fingerprints of default specs, as the first users' caches hold them."""

from typing import Any

import pytest

from core.specs import Spec, prior_kinds
from core.specs.docs import documented_specs

REQUIRED: dict[str, dict[str, Any]] = {
    "AtlasSpec": {"clouds": [{}]},
    "DecideSpec": {"claim": 5},
    "FitSpec": {"prior": "vae"},
    "GeneraliseSpec": {"run": "t-1", "posterior": "p", "datasets": [{}]},
    "HygieneSpec": {"datasets": [{}]},
    "LineSpec": {"first": "t-1", "first_posterior": "p", "second": "t-2", "second_posterior": "q"},
    "MeasureSpec": {"run": "t-1", "posterior": "p"},
    "PenaltiesSpec": {"run": "t-1", "posterior": "p"},
    "PlacementSpec": {"map": "m", "vectors": "v"},
    "ProjectionSpec": {"vocabulary": True},
    "StudyItemSpec": {"item": "figure-6"},
    "TrajectorySpec": {"texts": ["One."]},
    "TuningSpec": {"prior": "isotropic"},
    "WordsSpec": {"run": "t-1", "posterior": "p"},
}
"""What a spec needs beside its defaults."""

FINGERPRINTS = {
    "AtlasSpec": "4e4e389df1564a31",
    "CloudSpec": "9e95fba577673953",
    "DatasetSpec": "56bf7a27b763d4ae",
    "DecideSpec": "f09861ea81ebf2e9",
    "DemoSpec": "128308e0e3f513ce",
    "FitSpec": "5e0d298e9611f58b",
    "GeneraliseSpec": "b46d0c2803ef53d1",
    "HygieneSpec": "d7e8557e700fcf24",
    "LineSpec": "a683b25435b3d75a",
    "MeasureSpec": "3caefe16ef779494",
    "ModelSpec": "6d5a1082fa0ba972",
    "PathsSpec": "b2bf9acd37ab088e",
    "PenaltiesSpec": "65ec0681fcd4111c",
    "PlacementSpec": "47d3d4b684c71073",
    "ProjectionSpec": "30b31ad0094ccb64",
    "StudyItemSpec": "9b5502d010067228",
    "StudySpec": "c684663bb01c837a",
    "SweepSpec": "b593bd460ef8e392",
    "TokenFilter": "ff7ff6ab5466b625",
    "TrajectorySpec": "f9789c076ec6286b",
    "TuningSpec": "bf7aca184215c622",
    "WordsSpec": "5d2a395cfae1b5cc",
    "exclusion": "e45c2d5d07be06a4",
    "gaussian": "d0338d6d13e2f076",
    "interpolation": "737130a5cdf8d3b9",
    "isotropic": "0b83544a01bac02d",
    "knn": "04aff998e6726faa",
    "mixture": "61a93f47a51484ef",
    "posterior": "4c8988c667eb328a",
    "vae": "5f3f0ada78239309",
    "vocabulary": "425ccb51642a3918",
    "xavier": "2e31dd52f5da154c",
}

SPECS: dict[str, type[Spec]] = {spec.__name__: spec for spec in documented_specs()} | prior_kinds()


@pytest.mark.parametrize("name", SPECS)
def test_a_default_spec_keeps_its_fingerprint(name: str):
    assert SPECS[name].parse(REQUIRED.get(name, {})).fingerprint() == FINGERPRINTS[name]


def test_a_run_that_clips_as_all_did_once_keeps_its_fingerprint():
    spec = SPECS["TuningSpec"].parse({"prior": "isotropic", "clip_norm": 1.0})
    assert spec.fingerprint() == "05793aad03a5ea34"


def test_a_deep_spec_with_every_regulariser_keeps_its_fingerprint():
    tuning = SPECS["TuningSpec"]
    weights = dict.fromkeys(["l2_weight", "log_prior_weight", "repulsion_weight", "attraction_weight"], 0.5)
    spec = tuning.parse(
        {"clip_norm": 1.0, "prior": "vae", "method": "deep", "rate_unit": "relative", "spread_weight": 1, **weights}
    )
    assert spec.fingerprint() == "1674283bc74a05dd"
