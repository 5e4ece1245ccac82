"""What comes from outside as JSON or YAML is bounded before anything is made of it."""

import os
from pathlib import Path

import pytest

from core.specs.reading import MAX_DEPTH, MAX_DIGITS, parse_json, parse_yaml, read_json

LETTERS = "abcdefghi"
BOMB = "\n".join(
    f"{name}: &{name} [{','.join(['*' + before] * 9) if before else 'x,x'}]"
    for before, name in zip(("", *LETTERS), LETTERS, strict=False)
)
"""Nine aliases of nine aliases of …: 300 bytes that stand for 80 million values."""


def brief(value):
    return str(value)[:30]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[" * 100_000 + "]" * 100_000, f"it nests lists and objects over {MAX_DEPTH} levels deep"),
        ("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1), f"it nests lists and objects over {MAX_DEPTH} levels deep"),
        ('{"a":' * 70 + "1" + "}" * 70, f"it nests lists and objects over {MAX_DEPTH} levels deep"),
        ("1" * (MAX_DIGITS + 1), "a number has 301 digits, and 300 are allowed"),
        ("1" * 5000, "a number has 5000 digits, and 300 are allowed"),
        (r'{"name": "\ud83d"}', "a text holds half a character, U+D83D, which is not Unicode text"),
        (r'{"\uDC00": 1}', "a text holds half a character, U+DC00, which is not Unicode text"),
        ('"\udce9"', "a text holds half a character, U+DCE9, which is not Unicode text"),
        ('"' + "x" * 100 + '"', "it has 102 bytes, and 90 are allowed"),
        (b'"\xff"', "'utf-8' codec can't decode byte 0xff in position 1: invalid start byte"),
        ("{", "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
    ],
    ids=brief,
)
def test_json_that_is_not_taken_has_a_reason(text, reason):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the whole message is compared
        parse_json(text, limit=90 if "x" in str(text) and len(text) < 200 else 1_000_000)
    assert str(caught.value) == reason


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("[" * MAX_DEPTH + "]" * MAX_DEPTH, MAX_DEPTH),
        ('"' + "[" * 500 + '"', "[" * 500),
        ("1" * MAX_DIGITS, int("1" * MAX_DIGITS)),
        (r'"\ud83d\ude00"', "😀"),
        ('"\\\\ud83d"', r"\ud83d"),
        (b'\xef\xbb\xbf{"a": [1.5, null, true]}', {"a": [1.5, None, True]}),
    ],
    ids=brief,
)
def test_json_within_the_bounds_is_taken(text, value):
    found = parse_json(text)
    assert (levels(found) if value == MAX_DEPTH else found) == value


def levels(value):
    return 1 + max(map(levels, value), default=0) if isinstance(value, list) else 0


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (BOMB, "with its aliases written out it holds more than 50000 values"),
        ("a: &a [1, *a]", "an alias stands within what it repeats"),
        ("[" * 20_000, f"it nests lists and objects over {MAX_DEPTH} levels deep"),
        ("\n".join(" " * level + "a:" for level in range(70)), "it nests lists and objects over 64 levels deep"),
        ("a: " + "7" * 4301, "a number has 4301 digits, and 300 are allowed"),
        ("a: 0x" + "f" * 4000, "a number has 4002 digits, and 300 are allowed"),
        ("a: " + "1:" * 200 + "1.5", "a number has 403 digits, and 300 are allowed"),
        (r'a: "\ud800"', "a text holds half a character, U+D800, which is not Unicode text"),
        ("a: !!binary aGVsbG8=", "a value of the kind 'binary' cannot be taken; write text"),
        ("a: !!set {b}", "a value of the kind 'set' cannot be taken; write text"),
        ("a: !!python/object/apply:os.system [ls]", "a value of the kind 'python/object/apply:os.system'"),
        ("1: a", "the name 1 is not text; put it in quotes"),
        ("~: a", "the name None is not text; put it in quotes"),
        ("a: " + "x" * 100_001, "it has 100004 bytes, and 100000 are allowed"),
        ("a: [", "while parsing a flow node"),
        ("a: \x00", "unacceptable character #x0000"),
    ],
    ids=brief,
)
def test_yaml_that_is_not_taken_has_a_reason(text, reason):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message is compared
        parse_yaml(text)
    assert str(caught.value).startswith(reason)
    assert "\n" not in str(caught.value)


def test_yaml_within_the_bounds_is_taken():
    text = "base: &base {steps: 10, rate: 1.5}\nruns: [{<<: *base, seed: 1}, *base]\nname: 2026-08-01\nnone: ~\n"
    assert parse_yaml(text) == {
        "base": {"steps": 10, "rate": 1.5},
        "runs": [{"steps": 10, "rate": 1.5, "seed": 1}, {"steps": 10, "rate": 1.5}],
        "name": "2026-08-01",
        "none": None,
    }


def test_only_regular_files_of_a_bounded_size_are_read(tmp_path):
    file = tmp_path / "a.json"
    file.write_text("[1, 2]")
    assert read_json(file) == [1, 2]
    with pytest.raises(ValueError, match="it has 6 bytes, and 5 are allowed"):
        read_json(file, limit=5)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (pipe, Path("/dev/zero")):
        with pytest.raises(ValueError, match="it is a pipe or a device"):
            read_json(path)
    with pytest.raises(IsADirectoryError):
        read_json(tmp_path)
