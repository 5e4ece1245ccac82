"""The `reproduce` verb: what a person may ask for; the figures themselves are tested in tests/unit/studies."""

import pytest

from core.studies.items import FIGURES


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "There is nothing to make; give --figure N, --claims or --all."),
        (["--figure", "99"], f"Figure 99 cannot be reproduced; there are {', '.join(map(str, FIGURES))}."),
        (["--figure", "one"], f"Figure 'one' is not a number; give one of {', '.join(map(str, FIGURES))}."),
        (["--texts", "news,math"], "--texts takes one data set, not 2 ('news,math'); name one."),
        (["--questions", ""], "--questions is '', which names no data set; write for example"),
        (["--seed", "-1"], "seed: Input should be greater than or equal to 0 (got '-1')"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_two(call, store, tmp_path, arguments, reason):
    code, out, err = call("reproduce", *arguments, "--out", str(tmp_path / "out"), "--json")
    assert (code, out) == (2, "")
    assert reason in err
    assert err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_folder_must_be_named(call, store):
    code, _, err = call("reproduce", "--figure", "1")
    assert code == 2
    assert "Missing parameter: out" in err
