"""Specs: validation, canonical JSON, fingerprints, and what forms are made from."""

import re

import pytest

from core.errors import BadRequest, UnknownName
from core.specs import CloudSpec, DatasetSpec, ModelSpec, ProjectionSpec, Spec, TuningSpec, parse_prior, prior_kinds
from core.specs.describe import describe

SPECS: list[type[Spec]] = [ModelSpec, DatasetSpec, CloudSpec, ProjectionSpec, TuningSpec]


@pytest.mark.parametrize("spec", SPECS)
def test_every_field_says_what_it_is(spec: type[Spec]):
    for field in describe(spec):
        assert field.title
        assert field.help or field.kind == "spec", f"{spec.__name__}.{field.name} has no description"


@pytest.mark.parametrize("spec", [ModelSpec, DatasetSpec, CloudSpec])
def test_every_kind_works_with_its_defaults_alone_and_survives_json(spec: type[Spec]):
    made = spec.parse({})
    assert spec.parse(made.canonical_json()) == made


def test_a_tuning_spec_with_any_prior_survives_json():
    for kind in prior_kinds():
        made = TuningSpec.parse({"prior": kind})
        again = TuningSpec.parse(made.canonical_json())
        assert again == made
        assert type(again.prior) is type(made.prior)


def test_the_fingerprint_depends_on_every_value_and_on_the_context():
    prints = {
        TuningSpec.parse({"prior": "isotropic"}).fingerprint(),
        TuningSpec.parse({"prior": "isotropic", "seed": 1}).fingerprint(),
        TuningSpec.parse({"prior": {"kind": "isotropic", "std": 0.03}}).fingerprint(),
        TuningSpec.parse({"prior": "isotropic"}).fingerprint("revision"),
    }
    assert len(prints) == 4


def test_equal_specs_have_equal_fingerprints_whatever_the_order_of_keys():
    one = DatasetSpec.parse({"name": "math", "samples": 10})
    other = DatasetSpec.parse('{"samples": 10, "name": "math"}')
    assert one.fingerprint() == other.fingerprint()


@pytest.mark.parametrize(
    ("spec", "data", "message"),
    [
        (DatasetSpec, {"samples": 1}, "samples: Input should be greater than or equal to 2 (got 1)"),
        (DatasetSpec, {"nmae": "news"}, "nmae: there is no such field; remove it or check its spelling"),
        (DatasetSpec, {"name": "file"}, "the data set 'file' needs a path; give the file's location"),
        (DatasetSpec, {"name": "news", "module": "x"}, "module and difficulty belong to the data set 'math'"),
        (DatasetSpec, {"name": "math", "path": "x"}, "'math' takes no path; use the data set 'file'"),
        (DatasetSpec, {"name": "file", "path": "x", "prompt_column": "q"}, "prompt_column and answer_column go"),
        (DatasetSpec, {"name": "squad", "text_column": "x"}, "columns belong to the data set 'file', not 'squad'"),
        (CloudSpec, {"sites": ["-1"]}, "site '-1' is neither a block number from 0 nor 'final'"),
        (CloudSpec, {"sites": []}, "sites: sites must be 'all' or at least one site, such as 0,5,final"),
        (TuningSpec, {"prior": "isotropic", "method": "lora"}, "method: Input should be 'soft' or 'deep' (got 'lora')"),
        (
            TuningSpec,
            {"prior": "isotropic", "prompt_sites": "0,last"},
            "prompt_sites: prompt_sites must be block numbers such as 0,-3,-2,-1; negative ones count from the last "
            "(got '0,last')",
        ),
        (
            TuningSpec,
            {"prior": "isotropic", "prompt_sites": []},
            "prompt_sites: prompt_sites must be at least one block number, such as 0,-3,-2,-1 (got [])",
        ),
        (TuningSpec, {"prior": "isotropic", "n_prompt": 501}, "n_prompt: Input should be less than or equal to 500"),
        (TuningSpec, {"prior": "isotropic", "learning_rate": "nan"}, "learning_rate: Input should be a finite number"),
        (ProjectionSpec, {}, "a map needs the vocabulary or at least one cloud"),
        (ProjectionSpec, {"vocabulary": True, "site": 3}, "the vocabulary is at site 0, not 3"),
    ],
)
def test_a_wrong_value_is_named_with_its_bound_and_remedy(spec: type[Spec], data: dict, message: str):
    with pytest.raises(BadRequest) as caught:
        spec.parse(data)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_prior_is_told_what_there_is():
    with pytest.raises(UnknownName, match=r"Unknown prior kind 'isotrpic'; known: .*Did you mean 'isotropic'\?"):
        parse_prior("isotrpic")


def test_a_prior_whose_kind_is_no_name_is_refused():
    with pytest.raises(UnknownName, match=r"Unknown prior kind '\[\]'; known: "):
        parse_prior('{"kind": []}')


def test_a_prior_that_is_not_json_is_told_how_to_write_it():
    with pytest.raises(BadRequest, match=r"is not JSON .*write for example"):
        parse_prior('{"kind": exclusion}')


def test_math_fills_in_module_and_difficulty():
    spec = DatasetSpec(name="math")
    assert (spec.module, spec.difficulty) == ("arithmetic__add_or_sub", "train-easy")


def test_sites_are_read_from_a_list_or_a_text():
    assert CloudSpec.parse({"sites": "0,5,final"}).sites == (0, 5, "final")
    assert CloudSpec.parse({"sites": [3]}).sites == (3,)
    assert CloudSpec.parse({"sites": "all"}).sites == "all"


def test_what_plays_no_part_does_not_tell_runs_apart():
    soft = TuningSpec.parse({"prior": "isotropic"})
    assert soft.fingerprint() == TuningSpec.parse({"prior": "isotropic", "deep_form": "kept"}).fingerprint()
    assert soft.fingerprint() == TuningSpec.parse({"prior": "isotropic", "l2_weight": 0}).fingerprint()
    assert soft.fingerprint() != TuningSpec.parse({"prior": "isotropic", "l2_weight": 1}).fingerprint()
    deep = TuningSpec.parse({"prior": "isotropic", "method": "deep", "prompt_sites": "-2,-1"})
    assert deep.prompt_sites == (-2, -1)
    assert TuningSpec.parse(deep.canonical_json()) == deep
    kept = TuningSpec.parse({**deep.model_dump(), "deep_form": "kept"})
    assert deep.fingerprint() != kept.fingerprint()


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("a\0b", "it holds the character NUL, which no path or name has; remove it (got 'a\\x00b')"),
        ("/x/" + "y" * 256, "it has 259 bytes, 256 of them in one name, and a path has at most 4095 and a name 255"),
        ("/" + "é/" * 1366, "it has 4099 bytes, 2 of them in one name, and a path has at most 4095 and a name 255"),
    ],
    ids=["NUL", "name", "path"],
)
def test_a_path_that_no_file_system_takes_is_refused(path, reason):
    with pytest.raises(BadRequest, match=re.escape(reason)):
        DatasetSpec.parse({"name": "file", "path": path})
    with pytest.raises(BadRequest, match=re.escape(reason)):
        ModelSpec.parse({"name": path})


def test_a_long_wrong_value_is_cut_in_the_message():
    with pytest.raises(BadRequest, match=r"name: .*\(got 'xxx+…\)$") as caught:
        DatasetSpec.parse({"name": "x" * 10_000})
    assert len(str(caught.value)) < 300
