"""What tests of loading share."""

from collections.abc import Iterator

import pytest

from core.lm.load import forget_models


@pytest.fixture
def nothing_in_memory() -> Iterator[None]:
    """Let a test load its models itself, and leave none behind."""
    forget_models()
    yield
    forget_models()
