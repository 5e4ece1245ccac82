"""A message is one line that fits a screen, whatever it is about."""

import pytest

from core.errors import LONGEST_LINE, LONGEST_SHOWN, BadRequest, UnknownName, in_one_line, shown
from core.specs import TuningSpec


def test_a_long_message_keeps_its_beginning_and_its_remedy():
    error = BadRequest("The value 7 " + "\n\tagain" * 20_000 + "; choose one below 5.")
    assert len(str(error)) <= LONGEST_LINE
    assert str(error).startswith("The value 7 again again")
    assert str(error).endswith("again; choose one below 5.")


def test_a_message_can_be_printed_by_every_stream():
    assert (
        in_one_line("a\x1b[31m \ud83d\x00 \u202eb\r\nc é 5\u202fMB")
        == r"a\x1b[31m \ud83d\x00 \u202eb c é 5" + "\u202fMB"
    )


@pytest.mark.parametrize(
    "value",
    ["x" * 10**6, [0] * 10**6, {"a": "b" * 500}, 10**5000, {i: [i] for i in range(999)}],
    ids=["text", "list", "object", "number", "deep"],
)
def test_a_value_is_shown_cut_off(value):
    assert len(shown(value)) <= LONGEST_SHOWN


def test_a_value_that_repeats_itself_is_shown():
    value: list[object] = ["x"]
    for _ in range(60):
        value = [value] * 9
    assert shown(value).startswith("[[[[[...], [...]")


def test_short_values_are_shown_as_python_writes_them():
    assert [shown(value) for value in ("a'b", 5, [1, "x"], None, 0.5)] == ['"a\'b"', "5", "[1, 'x']", "None", "0.5"]


def test_an_unknown_name_of_any_length_is_one_line():
    with pytest.raises(UnknownName, match=r"^Unknown prior kind 'xxx+…; known: exclusion"):
        raise UnknownName("prior kind", "x" * 10**6, ["gaussian", "exclusion"])


def test_many_wrong_fields_are_counted():
    with pytest.raises(BadRequest, match=r"^a0: there is no such field; .*; and 4996 more wrong fields$") as caught:
        TuningSpec.parse({"prior": "isotropic", **{f"a{n}": n for n in range(5001)}})
    assert len(str(caught.value)) < 600
