from itertools import combinations

import numpy as np
import pytest

from core.figures.palette import DATASET_MARKS, POSTERIOR, PRIOR, REFERENCE, XAVIER, mark, prior_marks

ROLES = {"reference": REFERENCE, "prior": PRIOR, "posterior": POSTERIOR, "xavier": XAVIER}

# What a person without one kind of cone sees, as a matrix on linear RGB (Machado, Oliveira and Fernandes 2009).
DEFICITS = {
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "none": np.eye(3),
}


def _lab(colour: str, deficit: str) -> np.ndarray:
    rgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.array(DEFICITS[deficit]) @ linear, 0, 1)
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    x, y, z = np.cbrt(np.maximum(to_xyz @ seen / np.array([0.9505, 1, 1.089]), 1e-6))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("deficit", DEFICITS)
def test_roles_can_be_told_apart_without_one_kind_of_cone(deficit):
    for (one, first), (other, second) in combinations(ROLES.items(), 2):
        apart = np.linalg.norm(_lab(first.colour, deficit) - _lab(second.colour, deficit))
        assert apart > 20, f"{one} and {other} are {apart:.0f} apart for {deficit}"


def test_roles_have_symbols_of_their_own():
    assert len({look.symbol for look in ROLES.values()}) == len(ROLES)
    assert len({look.symbol_3d for look in ROLES.values()}) == len(ROLES)


def test_data_sets_take_no_role_colour_and_differ():
    colours = [look.colour for look in DATASET_MARKS]
    assert len(set(colours)) == len(colours)
    assert not set(colours) & {look.colour for look in ROLES.values()}


def test_data_sets_repeat_after_the_last():
    assert mark("dataset", len(DATASET_MARKS)) == mark("dataset", 0)
    assert mark("prior", 3) is PRIOR


def test_a_kind_of_prior_that_nobody_registered_is_drawn_by_the_rule():
    kinds = ["toy", "xavier", *["toy"] * 9]
    marks = prior_marks(kinds)
    assert marks[0] == PRIOR
    assert marks[1] == XAVIER
    assert [look.colour for look in marks[2:9]] == [look.colour for look in DATASET_MARKS]
    assert marks[9].colour == DATASET_MARKS[0].colour, "after all hues they begin again"


def test_each_of_several_priors_has_its_own_mark():
    kinds = ["isotropic", "xavier", "exclusion", "xavier", "gaussian", "vae"]
    marks = prior_marks(kinds)
    assert (marks[0].colour, marks[1].colour) == ("#1F6FC4", "#10A56B")
    assert len({mark.colour for mark in marks}) == 6
