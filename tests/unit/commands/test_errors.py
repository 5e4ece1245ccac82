"""What the command line says of bad input: one line on stderr, nothing on stdout, the right exit code."""

import pytest

from core.specs import TuningSpec
from core.specs.describe import describe


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["tune"], "tune needs a prior: give --prior, for example"),
        (["tune", "--prior", "isotrpic"], "Unknown prior kind 'isotrpic'; known: "),
        (["tune", "--prior", '{"kind":"exclusion","c":0.5}'], "c: Input should be greater than 1 (got 0.5)"),
        (["tune", "--prior", "{kind}"], "is not JSON"),
        (["tune", "--prior", "isotropic", "--steps", "many"], "steps: Input should be a valid integer"),
        (
            ["tune", "--prior", "isotropic", "--steps", "0"],
            "steps: Input should be greater than or equal to 1 (got '0')",
        ),
        (["tune", "--prior", "isotropic", "--method", "hard"], "method: Input should be"),
        (["tune", "--stpes", "3"], "No such option: --stpes"),
        (["tune", "--spec", "nowhere.json"], "The spec file 'nowhere.json' cannot be read"),
        (["capture", "--dataset", "newz"], "dataset.name: there is no such data set; choose one of: squad, c4"),
        (["capture", "--sites", "1,-2"], "sites: site '-2' is neither a block number from 0 nor 'final'"),
        (["sample", "--prior", "gaussian", "--out", "a.safetensors"], "give --vocabulary or --dataset"),
        (["sample", "--prior", "gaussian", "--out", "no/such/a.safetensors"], "The folder 'no/such' of --out"),
        (
            ["sample", "--prior", "isotropic", "--out", "a", "--vocabulary", "--site", "3"],
            "The vocabulary is at site 0",
        ),
        (["runs", "show", "t-nothing"], "Unknown run or job 't-nothing'"),
        (["cache", "list", "--kind", "clod"], "Nothing of kind 'clod' is stored"),
        (["frobnicate"], "No such command 'frobnicate'"),
    ],
)
def test_a_bad_request_is_one_line_and_exit_code_2(call, store, monkeypatch, tmp_path, arguments, message):
    monkeypatch.chdir(tmp_path)
    code, out, err = call(*arguments, *(["--json"] if arguments[0] != "frobnicate" else []))
    assert code == 2
    assert out == ""
    assert err.startswith("error: ")
    assert message in err
    assert err.count("\n") == 1


def test_a_bad_request_found_by_the_job_is_exit_code_2_as_well(call, inline, tiny_folder, tmp_path):
    empty = tmp_path / "empty.txt"
    empty.write_text("")
    code, out, err = call("capture", "--model", str(tiny_folder), "--dataset", "file", "--path", str(empty), "--json")
    assert (code, out) == (2, "")
    assert "empty" in err.splitlines()[-1]


def test_a_failed_job_is_exit_code_1(call, inline, tiny_folder, monkeypatch, tmp_path):
    from core.store import Store

    path = tmp_path / "a.txt"
    path.write_text("one\n\ntwo\n\nthree")
    monkeypatch.setattr(Store, "require_free", _full)
    code, _, err = call("capture", "--model", str(tiny_folder), "--dataset", "file", "--path", str(path))
    assert code == 1
    assert "error: no room" in err


def _full(*_):
    from core.errors import DiskFull

    raise DiskFull("no room")


def test_every_field_of_a_tuning_spec_is_an_option(call):
    _, out, _ = call("tune", "--help")
    for field in describe(TuningSpec):
        if field.kind != "spec" and field.name != "prior":
            assert field.option in out
