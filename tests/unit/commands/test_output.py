"""What verbs print, part by part."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from core.commands.output import emit_parts


def test_each_part_is_printed_before_the_next_one_is_found_out(capsys: pytest.CaptureFixture[str]):
    def parts() -> Iterator[tuple[str, Any]]:
        yield "quick", 1
        assert capsys.readouterr().out == "quick: 1\n"
        yield "slow", {"inner": 2}

    emit_parts(parts(), as_json=False)
    assert capsys.readouterr().out == "slow:\n  inner: 2\n"


def test_parts_in_json_are_one_document_and_none_if_one_of_them_fails(capsys: pytest.CaptureFixture[str]):
    emit_parts(iter([("quick", 1), ("slow", {"inner": 2})]), as_json=True)
    assert json.loads(capsys.readouterr().out) == {"quick": 1, "slow": {"inner": 2}}

    def failing() -> Iterator[tuple[str, Any]]:
        yield "quick", 1
        raise OSError("no such folder")

    with pytest.raises(OSError, match="no such folder"):
        emit_parts(failing(), as_json=True)
    assert not capsys.readouterr().out
