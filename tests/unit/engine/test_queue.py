"""This process's connections to schedulers."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from core.engine import queue

ADDRESS = "tcp://127.0.0.1:1"
OTHER = "tcp://127.0.0.1:2"


class LostClient:
    """A connection whose scheduler has gone: closing it raises what its attempt to reconnect raised."""

    def __init__(self, address: str, **options: Any) -> None:
        self.status = "running"

    def close(self, timeout: float) -> None:
        raise self.error

    error: Exception = OSError()


@pytest.fixture
def lost(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[LostClient]]:
    queue.disconnect()
    monkeypatch.setattr(queue, "Client", LostClient)
    yield LostClient
    queue.disconnect()


@pytest.mark.parametrize(
    "error", [ValueError("IOStream is not idle; cannot convert to SSL"), OSError("in <TLS>: closed")]
)
def test_a_connection_that_lost_its_scheduler_is_closed(
    lost: type[LostClient], error: Exception, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(lost, "error", error)
    first = queue.connect(ADDRESS)
    assert queue.connect(ADDRESS) is first
    with caplog.at_level(logging.INFO, "core.engine.queue"):
        queue.disconnect()
    assert str(error) in caplog.text, "what a connection ended with is logged, not swallowed"
    assert queue.connect(ADDRESS) is not first


def test_a_connection_that_is_trying_again_is_replaced(lost: type[LostClient]) -> None:
    first = queue.connect(ADDRESS)
    first.status = "connecting"
    assert queue.connect(ADDRESS) is not first


def test_only_the_connection_to_the_engine_that_ends_is_closed(lost: type[LostClient]) -> None:
    first, other = queue.connect(ADDRESS), queue.connect(OTHER)
    queue.disconnect(ADDRESS)
    assert queue.connect(OTHER) is other
    assert queue.connect(ADDRESS) is not first
    queue.disconnect("tcp://127.0.0.1:3")
