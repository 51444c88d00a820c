"""Goes round the processes, and posts what it finds as any other source of readings does."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from services.watch.exposition import read
from services.watch.figures import (
    OF_A_PROCESS,
    OF_THE_WHOLE,
    WHOLE,
    Figure,
    Figures,
    Look,
    Own,
    sensor_of,
)
from shared.clock import Clock, system_clock

_log = logging.getLogger(__name__)

EVERY_SECONDS = 10.0
ANSWER_SECONDS = 5.0
HALF_SECOND = 0.5  # the header `Date` is cut to whole seconds


class Rounds:
    """`processes`: name → base address; `url`, `key`: where readings go, and by which key."""

    def __init__(
        self,
        processes: Mapping[str, str],
        url: str,
        key: str,
        *,
        clock: Clock = system_clock,
        every_seconds: float = EVERY_SECONDS,
        verify: bool = True,
    ) -> None:
        self._processes = processes
        self._url = url
        self._headers = {"Authorization": f"Bearer {key}"}
        self._clock = clock
        self._every_seconds = every_seconds
        self._verify = verify
        self._figures, self._own = Figures(), Own()
        self._known = False
        self._trouble = ""

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`. What cannot be posted is not kept: it would be old by then, and the rule
        `platform-silent` tells of the gap."""
        timeout = httpx.Timeout(ANSWER_SECONDS)
        async with httpx.AsyncClient(
            timeout=timeout, verify=self._verify, trust_env=False
        ) as client:
            while not stop.is_set():
                await self.go(client)
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), self._every_seconds)

    async def go(self, client: httpx.AsyncClient) -> list[Figure]:
        """Once; what was found."""
        looks = await asyncio.gather(
            *(self._look(client, name, url) for name, url in self._processes.items())
        )
        now = self._clock()
        found = self._figures.of(looks, now, self._own)
        begins = not self._known
        try:
            if begins:
                await self._register(client)
            refused = await self._post(client, found, now)
        except httpx.HTTPError as error:
            self._tell(f"not posted: {error or type(error).__name__}")
        else:  # who was registered this moment may not be known everywhere yet
            self._tell("" if begins else refused)
        return found

    async def _look(self, client: httpx.AsyncClient, name: str, url: str) -> Look:
        before = self._clock()
        try:
            answer = await client.get(f"{url}/metrics")
            answer.raise_for_status()
            said = read(answer.text)
        except (httpx.HTTPError, ValueError):
            return Look(name, None)
        after = self._clock()
        return Look(name, said, skew(answer.headers.get("date", ""), before, after))

    async def _register(self, client: httpx.AsyncClient) -> None:
        """The platform's sensors. They stand nowhere, and so belong to no district."""
        sensors = [_sensor(WHOLE, "一网平台", OF_THE_WHOLE)]
        sensors += [
            _sensor(sensor_of(one), f"平台进程 {one}", OF_A_PROCESS) for one in self._processes
        ]
        answer = await client.post(f"{self._url}/v1/sensors", json=sensors, headers=self._headers)
        answer.raise_for_status()
        self._known = True

    async def _post(self, client: httpx.AsyncClient, found: Sequence[Figure], now: datetime) -> str:
        """Why some were refused, or nothing. Their sensors are made again then."""
        readings = [
            {"sensor_id": one.sensor, "metric": one.metric, "value": one.value,
             "observed_at": now.isoformat()}
            for one in found
        ]  # fmt: skip
        answer = await client.post(f"{self._url}/v1/readings", json=readings, headers=self._headers)
        self._own.failed += answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR
        if answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY:  # every one of them
            self._known = False
            return f"refused: {answer.text[:500]}"
        answer.raise_for_status()
        body = answer.json()
        self._own.accepted += int(body["accepted"])
        if not body["rejected"]:
            return ""
        self._known = False
        return f"refused: {body['rejected'][0]['detail']}"

    def _tell(self, trouble: str) -> None:
        """Once, when it begins."""
        if trouble and trouble != self._trouble:
            _log.warning("the platform's own readings: %s", trouble)
        self._trouble = trouble


def skew(date: str, before: datetime, after: datetime) -> float:
    """Seconds between the clock of whoever wrote the header `Date` and ours; 0 within what its
    whole seconds and the way there and back leave open. Raises nothing."""
    try:
        theirs = parsedate_to_datetime(date).astimezone(UTC)
    except (ValueError, TypeError):
        return 0.0
    middle = before + (after - before) / 2
    away = abs((theirs - middle).total_seconds() + HALF_SECOND)
    return max(0.0, away - HALF_SECOND - (after - before).total_seconds() / 2)


def _sensor(sensor_id: str, name: str, metrics: Sequence[str]) -> dict[str, Any]:
    return {"sensor_id": sensor_id, "name": name, "metrics": list(metrics)}
