"""Claims on documents judged for real on a tiny model, whose study has too few documents for some."""

import json

import pytest

from core.specs import StudyItemSpec
from core.studies.cost import study_clouds


@pytest.fixture(scope="module")
def judged(bench):
    return {
        number: bench.obtain(StudyItemSpec(study=bench.spec, item=f"claim-{number}")) for number in (1, 2, 3, 4, 13)
    }


@pytest.mark.parametrize(("number", "sentences"), [(1, "ab"), (2, "ab"), (3, " "), (4, " "), (13, "ab")])
def test_a_claim_on_documents_is_judged_by_its_sentences(judged, number, sentences):
    told = judged[number].result.numbers["judgement"]
    assert [one["name"] for one in told["sentences"]] == [name.strip() for name in sentences]
    assert all(one["words"] for one in told["sentences"])
    assert told["n_runs"] == 0
    assert told["rests_on"].startswith("Rests on ")
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert len(judged[number].reproduced.points) == len(told["parts"])


@pytest.mark.parametrize(("number", "needed"), [(1, 20), (2, 18), (3, 223), (13, 18)])
def test_a_study_with_too_few_texts_says_how_many_a_claim_needs(judged, number, needed):
    told = judged[number].result.numbers["judgement"]
    assert told["verdict"] in ("undecided", "fails")
    reasons = " ".join(one["reason"] for one in told["sentences"])
    assert f"C{number} needs {needed} documents" in reasons
    assert "choose more texts per data set" in reasons
    assert reasons.split(";")[0] in judged[number].result.caption


def test_radial_densities_are_drawn_for_both_sites(bench):
    made = bench.obtain(StudyItemSpec(study=bench.spec, item="radii"))
    assert set(made.result.numbers["sites"]) == {"0", "final"}
    assert [title.text for title in made.reproduced.picture.layout.annotations] == ["site 0", "site final"]
    assert len(made.reproduced.picture.data) == 4
    assert set(made.reproduced.points["site"]) == {"0", "final"}


def test_the_cost_of_a_study_counts_the_captures_of_document_means(bench):
    pooled = [cloud for cloud in study_clouds(bench.spec) if cloud.pooling == "mean"]
    assert len(pooled) == 3 + 1 + len(bench.spec.tasks)
