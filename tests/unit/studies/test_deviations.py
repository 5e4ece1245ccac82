"""What is not the paper's is listed; what the paper leaves open always is."""

from core.specs import DatasetSpec, StudySpec
from core.studies.deviations import UNSAID, deviations


def test_the_papers_own_setting_lists_the_questions_and_what_the_paper_leaves_open():
    found = deviations(StudySpec.asked("paper"))
    assert found[1:] == list(UNSAID)
    assert "train-v1.1.json" in found[0]
    own = DatasetSpec(name="squad", path="train-v1.1.json")
    assert deviations(StudySpec.asked("paper", questions=own)) == list(UNSAID)


def test_the_standard_study_names_each_difference_with_both_values():
    found = "\n".join(deviations(StudySpec.asked("standard")))
    for words in ("Model: smollm2-135m here, meta-llama/Llama-3.2-1B", "0.03 relative here, 0.001 absolute"):
        assert words in found
    assert "Prompted blocks: -3, -2, -1 here, 0, -3, -2, -1 in the paper." in found
