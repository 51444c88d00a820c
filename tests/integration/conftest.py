"""Fixtures of the integration tests."""

from collections.abc import Iterator

import pytest

from tests.image import Image, built, reason_it_cannot_be_built
from tests.integration.alerting import Receiver


@pytest.fixture
def receivers() -> Iterator[list[Receiver]]:
    """Receivers of this test: closed at its end."""
    made: list[Receiver] = []
    yield made
    for receiver in made:
        receiver.close()


@pytest.fixture(scope="session")
def container_image() -> Image:
    """The image of this tree, built by the engine of this machine."""
    reason = reason_it_cannot_be_built()
    if reason is not None:
        pytest.skip(f"NO CONTAINER ENGINE: {reason}")
    return built()
