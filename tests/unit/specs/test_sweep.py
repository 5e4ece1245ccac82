"""A sweep as a file, and the runs that it asks for."""

import json
from pathlib import Path

import pytest

from core.errors import BadRequest, UnknownName
from core.specs import SweepSpec, TuningSpec, parse_prior
from core.specs.cells import MAX_CELLS, cells_of, compared_cells, with_fields
from core.specs.sweep import parse_sweep, sweep_yaml

WHOLE = """
name: everything
base: {dataset: {name: math, samples: 300, seed: 4}, steps: 10, n_prompt: 5}
priors: [isotropic, {kind: exclusion, c: 9}]
methods: [soft, {method: deep, prompt_sites: [-1], deep_form: kept}]
datasets: [math, 'math:arithmetic__mul']
learning_rates: [5e-3, 1e-3]
regularisers: [none, {spread_weight: 0.1}]
seeds: [0, 1]
vary: {batch_size: [4, '8']}
"""
SPEC = TuningSpec(prior=parse_prior({"kind": "exclusion", "c": 5}), seed=3, spread_weight=0.5)


def values(cells, name):
    return list(dict.fromkeys(cell.settings[name] for cell in cells))


def test_every_combination_is_a_run_in_the_order_of_the_axes():
    cells = cells_of(parse_sweep(WHOLE))
    assert len(cells) == 2**7
    assert len({cell.spec.canonical_json() for cell in cells}) == 2**7
    assert values(cells, "prior") == ["isotropic", "exclusion (c 9.0)"]
    assert values(cells, "method") == ["soft", "deep, prompted blocks -1, deep prompts kept"]
    assert values(cells, "data") == ["math · arithmetic__add_or_sub", "math · arithmetic__mul"]
    assert values(cells, "learning_rate") == [5e-3, 1e-3]
    assert values(cells, "regularisers") == ["none", "spread 0.1"]
    assert values(cells, "seed") == [0, 1]
    assert values(cells, "batch_size") == [4, 8]
    assert {(cell.spec.dataset.samples, cell.spec.dataset.seed, cell.spec.steps) for cell in cells} == {(300, 4, 10)}
    assert cells[-1].spec.spread_weight == 0.1
    assert cells[0].spec.spread_weight == 0


def test_groups_are_runs_that_differ_in_rate_and_seed_alone():
    cells = cells_of(parse_sweep(WHOLE))
    groups = {cell.group for cell in cells}
    assert len(groups) == 2**5
    assert len({json.dumps(cell.shown_of_group) for cell in cells}) == 2**5
    assert "seed" not in cells[0].shown_of_group


def test_a_sweep_is_the_same_as_yaml_and_as_json():
    sweep = parse_sweep(WHOLE)
    assert parse_sweep(sweep_yaml(sweep)) == sweep
    assert parse_sweep(sweep.canonical_json()) == sweep
    assert "target" not in sweep_yaml(sweep)


def test_what_stands_alone_is_a_list_of_one():
    sweep = parse_sweep("{priors: isotropic, seeds: 3, learning_rates: 1e-3, vary: {n_prompt: 5}}")
    (cell,) = cells_of(sweep)
    assert (cell.spec.seed, cell.spec.learning_rate, cell.spec.n_prompt) == (3, 1e-3, 5)


def test_combinations_that_ask_for_the_same_run_are_one():
    sweep = SweepSpec.parse(
        {"priors": ["isotropic"], "methods": ["soft", "deep"], "vary": {"cache_trunk": [True, False]}}
    )
    assert [(cell.spec.method, cell.spec.cache_trunk) for cell in cells_of(sweep)] == [
        ("soft", True),
        ("deep", True),
        ("deep", False),
    ]


def test_data_sets_of_one_name_are_told_apart():
    sweep = SweepSpec.parse({"priors": ["isotropic"], "datasets": [{"name": "math", "samples": n} for n in (20, 30)]})
    assert values(cells_of(sweep), "data") == ["math · arithmetic__add_or_sub", "math · arithmetic__add_or_sub (2)"]


def test_the_comparison_is_on_its_own_seeds_at_the_chosen_rates():
    sweep = parse_sweep(
        "{priors: [isotropic, xavier], learning_rates: [1e-3, 1e-2], seeds: [0, 1], compare_seeds: [7, 8]}"
    )
    cells = cells_of(sweep)
    groups = list(dict.fromkeys(cell.group for cell in cells))
    compared = compared_cells(sweep, cells, {groups[0]: 1e-3, groups[1]: 1e-2})
    assert [(c.spec.prior.kind, c.spec.learning_rate, c.spec.seed, c.stage) for c in compared] == [
        ("isotropic", 1e-3, 7, "compare"),
        ("isotropic", 1e-3, 8, "compare"),
        ("xavier", 1e-2, 7, "compare"),
        ("xavier", 1e-2, 8, "compare"),
    ]
    assert [cell.group for cell in compared] == [groups[0], groups[0], groups[1], groups[1]]
    assert compared[0].settings["seed"] == 7
    assert compared_cells(sweep, cells, {}) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", r"the sweep cannot be read as YAML or JSON \(while parsing"),
        ("- 1", r"the sweep holds list at its top, not fields; write for example"),
        ("{seeds: [0]}", r"The sweep names no prior; give `priors: \[isotropic\]`, or one in `base`"),
        ("{priors: [isotropic], sites: [0]}", r"sites: there is no such field"),
        ("{priors: [isotropic], vary: {n_prompt: []}}", r"No value of n_prompt is given; give at least one"),
        ("{priors: [isotropic], vary: [n_prompt]}", r"vary: must map fields to lists of values, such as"),
        ("{priors: [isotropic], learning_rates: [-1]}", r"learning_rate: Input should be greater than 0 \(got -1.0\)"),
        ("{priors: [isotropic], datasets: ['news:x']}", r"'news:x' has something after a colon"),
        ("{priors: [isotropic], regularisers: [some]}", r"Regularisers 'some' are not weights; write none, or"),
        ("{priors: [isotropic], seeds: [1, 2], compare_seeds: [2]}", r"Seed 2 is among the seeds that choose"),
        ("{priors: [isotropic], compare_seeds: [0]}", r"Seed 0 is among the seeds that choose"),
    ],
)
def test_what_makes_no_sweep_is_refused(text, message):
    with pytest.raises(BadRequest, match=message):
        cells_of(parse_sweep(text))


def test_unknown_names_are_told_with_those_there_are():
    with pytest.raises(UnknownName, match="Unknown regulariser 'spread'; known: attraction_weight"):
        cells_of(parse_sweep("{priors: [isotropic], regularisers: [{spread: 1}]}"))
    with pytest.raises(UnknownName, match="Unknown prior kind 'gauss'; known: "):
        parse_sweep("{priors: [gauss]}")


def test_the_number_of_runs_is_bounded():
    at_most = {"priors": ["isotropic"], "seeds": list(range(MAX_CELLS))}
    assert len(cells_of(SweepSpec.parse(at_most))) == MAX_CELLS
    with pytest.raises(BadRequest, match=f"has {MAX_CELLS + 1} combinations, more than the limit of {MAX_CELLS}"):
        cells_of(SweepSpec.parse({**at_most, "compare_seeds": [MAX_CELLS]}))


@pytest.mark.parametrize(
    ("field", "value", "found"),
    [
        ("prior.c", "2", 2.0),
        ("dataset.seed", "1", 1),
        ("prior", "isotropic", parse_prior("isotropic")),
        ("method", "deep", "deep"),
    ],
)
def test_fields_inside_fields_and_whole_priors(field, value, found):
    changed = with_fields(SPEC, {field: value})
    inside = changed
    for name in field.split("."):
        inside = getattr(inside, name)
    assert inside == found
    assert with_fields(changed, {field.split(".")[0]: getattr(SPEC, field.split(".")[0])}) == SPEC


@pytest.mark.parametrize("field", ["spread", "prior.d", "seed.x", "prior.kind"])
def test_an_unknown_field_is_named_with_those_there_are(field):
    with pytest.raises(UnknownName, match=f"Unknown field '{field}'; known: "):
        with_fields(SPEC, {field: "1"})


def test_the_example_of_the_documentation_is_a_sweep():
    page = (Path(__file__).parents[3] / "docs" / "sweeps.md").read_text(encoding="utf-8")
    example = page.split("```yaml\n")[1].split("```")[0]
    cells = cells_of(parse_sweep(example))
    assert len(cells) == 4 * 3 * 2
    assert {name for name in SweepSpec.model_fields if f"`{name}`" in page} >= set(SweepSpec.model_fields) - {
        "name",
        "base",
    }
