"""Fixtures of the integration tests."""

from collections.abc import Iterator

import pytest

from tests.integration.alerting import Receiver


@pytest.fixture
def receivers() -> Iterator[list[Receiver]]:
    """Receivers of this test: closed at its end."""
    made: list[Receiver] = []
    yield made
    for receiver in made:
        receiver.close()
