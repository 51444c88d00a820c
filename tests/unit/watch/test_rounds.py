"""What the platform tells of itself, where its own border refuses it."""

import logging

import httpx
import pytest

from services.watch.rounds import Rounds

UNKNOWN = {"detail": "unknown_sensor: 'platform' is not registered"}


async def gone(
    answers: list[httpx.Response], caplog: pytest.LogCaptureFixture
) -> tuple[list[str], list[str]]:
    """Paths that were posted to, and what was logged, over as many rounds as there are answers."""
    posted: list[str] = []
    left = iter(answers)

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(200, text="")
        posted.append(request.url.path)
        if request.url.path == "/v1/sensors":
            return httpx.Response(200, json={"accepted": 2, "rejected": []})
        return next(left)

    rounds = Rounds({"gateway": "http://gateway"}, "http://gateway", "key")
    with caplog.at_level(logging.WARNING):
        async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
            for _ in answers:
                await rounds.go(client)
    return posted, caplog.messages


def taken() -> httpx.Response:
    return httpx.Response(202, json={"accepted": 2, "rejected": []})


def refused() -> httpx.Response:
    return httpx.Response(422, json=UNKNOWN)


async def test_who_was_registered_this_moment_may_be_unknown_for_another(
    caplog: pytest.LogCaptureFixture,
) -> None:
    posted, said = await gone([refused(), taken(), taken()], caplog)
    assert posted == ["/v1/sensors", "/v1/readings"] * 2 + ["/v1/readings"]
    assert said == []


async def test_sensors_that_somebody_removed_are_made_again_and_it_is_told_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    some = httpx.Response(202, json={"accepted": 1, "rejected": [UNKNOWN]})
    posted, said = await gone([taken(), refused(), taken(), some, taken()], caplog)
    assert posted.count("/v1/sensors") == 3
    assert len(said) == 2
    assert all("is not registered" in line for line in said)
