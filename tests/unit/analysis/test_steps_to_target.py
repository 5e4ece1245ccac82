from core.analysis.steps_to_target import Reached, common_target, steps_to_target


def test_the_first_evaluation_at_or_under_the_target_and_the_one_before():
    steps, losses = [0, 10, 20, 30], [3.0, 2.0, 1.0, 1.5]
    assert steps_to_target(steps, losses, 2.0) == Reached(10, 0)
    assert steps_to_target(steps, losses, 1.2) == Reached(20, 10)
    assert steps_to_target(steps, losses, 5.0) == Reached(0, None)
    assert steps_to_target(steps, losses, 0.5) == Reached(None, 30)
    assert steps_to_target([], [], 1.0) == Reached(None, None)


def test_the_common_target_is_reached_by_all():
    assert common_target([[3, 1, 2], [5, 4], []]) == 4
    assert common_target([[]]) is None
