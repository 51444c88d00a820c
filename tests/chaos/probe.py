"""Has everything recovered? A reading into every partition that must come out at every end."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from zlib import crc32

import psycopg

from shared.pause import until
from tests.chaos.fleet import Fleet
from tests.chaos.posting import HIGH, LOW, METRIC, Client, Item
from tests.chaos.watching import Receiver, Screen

PARTITIONS = 4
DEADLINE_SECONDS = 120.0
LOOK_SECONDS = 0.1


def sensors(number: int) -> list[str]:
    """Those of the probe after fault `number`: one in each partition of `city.readings`."""
    found: dict[int, str] = {}
    at = 0
    while len(found) < PARTITIONS:
        name = f"probe-{number}-{at}"
        found.setdefault(crc32(name.encode()) % PARTITIONS, name)
        at += 1
    return sorted(found.values())


@dataclass
class Recovery:
    """Seconds until each end had the probe, None: never."""

    accepted: float | None = None
    stored: float | None = None
    told: float | None = None
    shown: float | None = None
    ready: float | None = None

    @property
    def seconds(self) -> float | None:
        """Until all had."""
        ends = list(vars(self).values())
        return None if None in ends else max(ends)


class Probe:
    """Of one run. `client`: one that does not wait long for a gateway that says nothing."""

    def __init__(
        self, fleet: Fleet, client: Client, receiver: Receiver, screens: Sequence[Screen]
    ) -> None:
        self._fleet = fleet
        self._client = client
        self._receiver = receiver
        self._screens = screens

    def look(self, number: int, back: float) -> Recovery:
        """Seconds from `back` (monotonic). Afterwards the probe's alerts are cleared."""
        recovery, names = Recovery(), sensors(number)
        ends: dict[str, Callable[[Sequence[str]], bool]] = {
            "accepted": self._accepted, "stored": self._stored, "told": self._told,
            "shown": self._shown, "ready": self._ready,
        }  # fmt: skip
        watching = [
            threading.Thread(target=self._watch, args=(recovery, back, end, condition, names))
            for end, condition in ends.items()
        ]
        for thread in watching:
            thread.start()
        while any(thread.is_alive() for thread in watching):
            self._fleet.raise_the_dead()
            time.sleep(LOOK_SECONDS)
        self._post(names, LOW)
        return recovery

    def _watch(
        self, recovery: Recovery, back: float, end: str,
        condition: Callable[[Sequence[str]], bool], names: Sequence[str],
    ) -> None:  # fmt: skip
        if until(lambda: condition(names), DEADLINE_SECONDS):
            setattr(recovery, end, time.monotonic() - back)

    def _accepted(self, names: Sequence[str]) -> bool:
        return self._post(names, HIGH)

    def _post(self, names: Sequence[str], value: float) -> bool:
        moment = datetime.now(UTC).isoformat()
        items: list[Item] = [
            {"sensor_id": name, "metric": METRIC, "observed_at": moment, "value": value}
            for name in names
        ]
        return self._client.deliver(items, "n" * len(items), threading.Event())

    def _stored(self, names: Sequence[str]) -> bool:
        query = "SELECT count(*) FROM ingest.readings WHERE sensor_id = ANY(%s)"
        try:
            with psycopg.connect(self._fleet.database_url, connect_timeout=2) as connection:
                row = connection.execute(query, (list(names),)).fetchone()
        except psycopg.OperationalError:
            return False
        return row is not None and row[0] == len(names)

    def _told(self, names: Sequence[str]) -> bool:
        return self._receiver.opened.issuperset(names)

    def _shown(self, names: Sequence[str]) -> bool:
        return all(
            screen.subjects().issuperset(names)
            and all(screen.value(name) == HIGH for name in names)
            for screen in self._screens
        )

    def _ready(self, _names: Sequence[str]) -> bool:
        return all(self._fleet.is_ready(name) for name in self._fleet.running)
