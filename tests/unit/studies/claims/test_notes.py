"""What a judgement says beside its finding."""

from core.studies.claims import CLAIMS, RULES_VERSION
from core.studies.claims.notes import notes
from tests.unit.studies.claims.planted_runs import STUDY, RunsBench, wobbled
from tests.unit.studies.claims.test_position_claims import contracted


def test_notes_have_sentences_controls_runs_power_and_the_version_of_the_rules(store):
    judgement = CLAIMS[5].judgement(CLAIMS[5].judge(RunsBench(store, contracted(1.0))), STUDY)
    lines = notes(judgement)
    assert lines[0].startswith("a. Posteriors of soft prompts stay where their prior put them: holds. Decided in 80 %")
    assert lines[1].startswith("b. Those of deep prompts do, by direction at the last prompted block: holds.")
    assert lines[2].startswith("Control (a, random labels): the same rule gives “fails”, with ")
    n = judgement.n_runs
    assert lines[-2:] == [f"{n} of {n} runs converged.", f"Judged by version {RULES_VERSION} of the rules."]
    stopped = tuple(one.model_copy(update={"words": f"{one.words}."}) for one in judgement.sentences)
    assert notes(judgement.model_copy(update={"sentences": stopped})) == lines, "a sentence's own stop is not kept"


def test_an_undecided_claim_says_how_many_seeds_it_would_take(store):
    judgement = CLAIMS[10].judgement(CLAIMS[10].judge(RunsBench(store, wobbled({}, 15))), STUDY)
    (sentence,) = judgement.sentences
    assert sentence.units_needed is not None
    assert f"It would take about {sentence.units_needed:,} seeds." in notes(judgement)[0]
