import json
from itertools import product
from types import SimpleNamespace

import numpy as np
import pytest

from core.activations.references import ReferenceRequest
from core.analysis.atlas_plan import N_BLOCKS
from core.analysis.dips import documents_needed
from core.specs import ModelSpec
from core.studies.claims import CLAIMS, autoencoder
from core.studies.claims.autoencoder import KL_WEIGHTS, LEAST_SPREADS, Spreads, judge_spreads
from core.studies.claims.base import JACKKNIFE_FREEDOM
from core.studies.claims.documents import too_few
from core.studies.claims.domains import OWN, SHARED, judge_means
from core.studies.claims.localised import LOCALISED, TIGHTER, judge_paths
from core.studies.claims.shape import N_DIRECTIONS, judge_dips, judge_radii
from core.studies.claims.tasks_apart import FROM_EACH_OTHER, FROM_TEXTS, judge_tasks
from tests.unit.studies.claims.planted import STUDY, PlantedBench
from tests.unit.studies.claims.planted_clouds import dips_atlas, document_means, path_rows, radial_laws, tasks_atlas


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def paths(**planted):
    rows = path_rows(rng(), **planted)
    return judge_paths(rows, rows, 22)


def test_c01_holds_where_planted():
    found = paths(scale=0.9)
    assert (found.verdict_on(TIGHTER), found.verdict_on(LOCALISED), found.verdict) == ("holds", "holds", "holds")


def test_c01_fails_where_sentences_are_localised():
    found = paths(scale=0.9, localised=0.8)
    assert found.verdict_on(LOCALISED) == "fails"
    assert found.verdict == "fails"


def test_c01_fails_where_sentences_are_wider_than_walks_and_still_are_not_localised():
    found = paths(scale=1.15)
    assert (found.verdict_on(TIGHTER), found.verdict_on(LOCALISED), found.verdict) == ("fails", "holds", "fails")
    assert "they are wider" in found.words


def test_c01_stays_undecided_where_sentences_are_as_wide_as_walks():
    found = paths(scale=1.0)
    assert (found.verdict_on(TIGHTER), found.verdict_on(LOCALISED), found.verdict) == (
        "undecided",
        "holds",
        "undecided",
    )


def means(between, apart, n=60):
    return judge_means(document_means(rng(), between, apart, n), (1, "final"), seed=0)


def test_c02_holds_where_planted():
    found = means(between=1, apart=9)
    assert found.verdict == "holds"
    assert [part.name for part in found.parts] == [
        "site 1, news / sums",
        "site 1, squad / sums",
        "site final, news / sums",
        "site final, squad / sums",
        "site 1",
        "site final",
    ]


def test_c02_fails_where_language_is_split_as_far_as_arithmetic():
    found = means(between=9, apart=9)
    assert (found.verdict_on(OWN), found.verdict_on(SHARED), found.verdict) == ("holds", "fails", "fails")


def test_c02_fails_where_arithmetic_is_like_language():
    assert means(between=0, apart=0.5).verdict_on(OWN) == "fails"


def test_c02_stays_undecided_where_accuracy_is_at_its_bound():
    found = means(between=0, apart=2.7)
    assert (found.verdict_on(OWN), found.verdict) == ("undecided", "undecided")


def test_c02_stays_undecided_and_says_how_many_documents_it_needs():
    found = means(between=1, apart=9, n=9)
    assert found.verdict == "undecided"
    assert found.blocked == {
        OWN: (
            "C2 needs 18 documents of each data set and this study has 9; choose more texts per data set, or a data "
            "set with more documents"
        ),
        SHARED: (
            "C2 needs 10 documents of each data set and this study has 9; choose more texts per data set, or a data "
            "set with more documents"
        ),
    }
    assert found.told.endswith("or a data set with more documents.")


ENOUGH = documents_needed(2 * N_DIRECTIONS)


def test_c03_holds_where_planted():
    found = judge_dips(dips_atlas(rng(), ENOUGH + 30, apart=0))
    assert found.verdict == "holds"
    assert found.extra == {"documents_needed": ENOUGH}


def test_c03_fails_where_two_modes_are_planted_at_one_site():
    found = judge_dips(dips_atlas(rng(), ENOUGH, apart=9))
    assert (found.verdict, found.headline.name) == ("fails", "site final")


def test_c03_fails_also_with_few_documents_where_two_modes_are_clear():
    assert judge_dips(dips_atlas(rng(), 100, apart=12)).verdict == "fails"


def test_c03_stays_undecided_with_fewer_documents_than_normal_clouds_need():
    found = judge_dips(dips_atlas(rng(), 120, apart=0))
    assert found.verdict == "undecided"
    assert f"C3 needs {ENOUGH} documents of news and this study has 120" in found.told


def test_c04_holds_where_planted():
    found = judge_radii("squad", radial_laws(rng(), peaked=1))
    assert found.verdict == "holds"
    assert [part.name for part in found.parts] == ["site 0", "site final"] * 2


def test_c04_fails_on_a_gaussian_whose_documents_have_tokens_alike():
    assert judge_radii("squad", radial_laws(rng(), peaked=0)).verdict == "fails"


def test_c04_stays_undecided_on_a_cloud_that_is_a_little_peaked():
    assert judge_radii("squad", radial_laws(rng(), peaked=0.2)).verdict == "undecided"


def test_c04_stays_undecided_with_fewer_documents_than_blocks():
    found = judge_radii("squad", radial_laws(rng(), peaked=1, n=8))
    assert found.verdict == "undecided"
    assert "C4 needs 10 documents of squad and this study has 8" in found.told


WOBBLE = np.array([-0.01, 0.0, 0.01])


def spreads(ratio, noise=1.0, odd=None):
    """Return the spread of samples at every setting of the grid, and another at the last one."""
    grid = dict.fromkeys(product(KL_WEIGHTS, LEAST_SPREADS), ratio)
    grid[(KL_WEIGHTS[-1], LEAST_SPREADS[-1])] = ratio if odd is None else odd
    linear = 0.6
    return judge_spreads(
        {
            setting: Spreads([linear * (value + noise * w) for w in WOBBLE], [0.9] * 3, [linear] * 3, [0.3] * 3)
            for setting, value in grid.items()
        },
        gaussian=0.99,
        site=29,
    )


def test_c12_holds_where_planted():
    found = spreads(0.1)
    assert found.verdict == "holds"
    assert sum(part.decides for part in found.parts) == 6
    assert found.headline.interval.value == pytest.approx(0.1)


def test_c12_fails_where_one_setting_keeps_the_spread():
    found = spreads(0.1, odd=0.9)
    assert (found.verdict, found.headline.name) == ("fails", "KL weight 4, code spread at least 0.5")


def test_c12_stays_undecided_where_seeds_differ_more_than_the_distance_to_the_bound():
    assert spreads(0.45, noise=10).verdict == "undecided"


def test_c12_reads_every_setting_of_the_grid_from_a_fit_of_its_own(monkeypatch):
    asked = []

    def fitted(spec, place, _bench):
        asked.append((spec.kind, getattr(spec, "kl_weight", 0), getattr(spec, "min_std", 0), getattr(spec, "draw", "")))
        total = {"ratio": 0.2, "ratio_of_a_linear_model_of_the_same_width": 0.8}
        report = {"spread": {"total_variance": total}, "reconstruction_error": {"vae": 0.3}}
        points = np.random.default_rng(0).normal(size=(50, 3))
        prior = SimpleNamespace(report=lambda: report, sample=lambda n, rng: rng.normal(size=(n, 3)))
        assert isinstance(place, ReferenceRequest)
        return prior, SimpleNamespace(main=SimpleNamespace(points=points))

    monkeypatch.setattr(autoencoder, "fitted", fitted)
    found = CLAIMS[12].judge(PlantedBench())
    assert found.deciding[0].interval.value == pytest.approx(0.25)
    assert found.extra == {"site": 29}
    settings = {("vae", *setting) for setting in product(KL_WEIGHTS, LEAST_SPREADS)}
    assert {(*setting, draw) for setting in settings for draw in ("mean", "sampled")} == set(asked[:-1])


ENCODER = ModelSpec(name="all-minilm-l6-v2")


def tasks(places, n=100, encoder=ENCODER):
    return judge_tasks(tasks_atlas(rng(), places, n), encoder)


FAR = [0, 8, 16, 24, 32, 40]


def test_c13_holds_where_planted():
    found = tasks(FAR)
    assert found.verdict == "holds"
    assert sum(part.sentence == FROM_EACH_OTHER and part.decides for part in found.parts) == 15
    assert sum(part.sentence == FROM_TEXTS and part.decides for part in found.parts) == 6
    assert "This is not the paper's encoder (t5-base)." in found.words


def test_c13_holds_where_three_of_fifteen_pairs_coincide():
    found = tasks([0, 0, 0, 24, 32, 40])
    assert (found.verdict_on(FROM_EACH_OTHER), found.extra["pairs_apart"]) == ("holds", 12)


def test_c13_fails_where_more_pairs_coincide():
    found = tasks([0, 0, 0, 0, 32, 40])
    assert (found.verdict_on(FROM_TEXTS), found.verdict_on(FROM_EACH_OTHER), found.verdict) == (
        "holds",
        "fails",
        "fails",
    )


def test_c13_stays_undecided_where_pairs_are_at_the_bound():
    assert tasks([0, 2.6, 5.2, 7.8, 10.4, 13]).verdict_on(FROM_EACH_OTHER) == "undecided"


def test_c13_stays_undecided_with_few_texts_and_says_how_many_it_needs():
    found = tasks(FAR, n=12)
    assert found.verdict == "undecided"
    assert "C13 needs 39 documents of each task and of texts and this study has 12" in found.told


def test_c13_says_what_it_rests_on():
    claim = CLAIMS[13]
    other = "Rests on all-minilm-l6-v2 (not the paper's encoder, t5-base), 150 texts of each of 6 tasks and of texts."
    assert claim.rests_on(STUDY) == other
    papers = STUDY.model_copy(update={"encoder": ModelSpec(name="google-t5/t5-base")})
    assert claim.rests_on(papers).startswith("Rests on google-t5/t5-base, 150 texts")


@pytest.mark.parametrize("number", [1, 2, 3, 4, 12])
def test_claims_on_documents_rest_on_what_they_read(number):
    words = CLAIMS[number].rests_on(STUDY)
    named = {1: "60 texts of", 2: "means over 150 texts", 3: "150 texts of", 4: "3,000 tokens", 12: "5 trainings"}
    assert words.startswith(f"Rests on {STUDY.model.label}, ")
    assert named[number] in words


def test_a_judgement_on_documents_tells_what_its_number_of_documents_decides():
    found = means(between=0, apart=2.7)
    told = CLAIMS[2].judgement(found, STUDY).model_dump(mode="json")
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    own, shared = told["sentences"]
    assert (own["verdict"], shared["name"]) == ("undecided", SHARED)
    assert 0 < own["smallest"] < 0.2
    assert own["units_needed"] > 120


def test_enough_documents_are_not_mentioned():
    assert too_few("C3", 10, 10, "of news") == ""


def test_the_atlas_leaves_out_as_many_blocks_as_its_intervals_are_widened_for():
    assert JACKKNIFE_FREEDOM == N_BLOCKS - 1
