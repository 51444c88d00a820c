"""A whole run: the fleet, its traffic, the faults one after the other, the evidence."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import httpx
import psycopg

from tests.chaos import evidence
from tests.chaos.background import Background, background
from tests.chaos.checker import check_screens, promised
from tests.chaos.faults import Faults
from tests.chaos.fleet import Fleet, fleet
from tests.chaos.journal import Journal, read
from tests.chaos.posting import Client, Poster, produce
from tests.chaos.probe import Probe, Recovery, sensors
from tests.chaos.schedule import Fault
from tests.chaos.watching import Receiver, Screen, weigh

POSTERS = 3
SENSORS_EACH = 8
POST_SECONDS = 0.25
PROBE_TIMEOUT_SECONDS = 3.0
SETTLE_SECONDS = 180.0
RECEIPTS_ASKED = 500
Say = Callable[[str], None]


@dataclass
class Run:
    """What runs, and what it writes."""

    folder: Path
    fleet: Fleet
    loop: Background
    journals: dict[str, Journal]
    receiver: Receiver
    screens: list[Screen]
    posters: list[Poster]
    probe: Probe
    clients: dict[str, Client]
    producing: asyncio.Event = field(default_factory=asyncio.Event)
    shown: list[dict[str, Any]] = field(default_factory=list)

    def suffer(self, faults: Sequence[Fault], say: Say) -> None:
        """One after the other, each with its recovery."""
        by = Faults(self.fleet, self.loop)
        for fault in faults:
            began = time.monotonic()
            back = by.happen(fault)
            recovery = self.probe.look(fault.number, back)
            self._note(fault, back - began, recovery)
            if recovery.seconds is None:
                self.fleet.ask_what_it_waits_for()
            say(f"{fault} — {_told(recovery)}")

    def settle(self) -> None:
        """The stream ends; everything under way arrives. Then the evidence is taken."""
        for poster in self.posters:
            poster.stop.set()
        for poster in self.posters:
            poster.join(SETTLE_SECONDS)
        self.producing.set()
        time.sleep(2)  # the producer's last record
        if not self._until_still():
            self.fleet.ask_what_it_waits_for()
        self._ask_receipts()
        for name, client in self.clients.items():
            self.journals["clients"].write({"name": name, **vars(client.tally)})
        self.journals["clients"].write({
            "name": "fleet", "unplanned": [], "without_retry_after": 0, "gave_up": 0,
            "died": self.fleet.died,
        })  # fmt: skip
        self._until_still()  # deadlines go on passing: tables and screens of one moment
        for shown in self.shown:
            self.journals["screens"].write(shown)

    def _note(self, fault: Fault, lasted: float, recovery: Recovery) -> None:
        entry: dict[str, Any] = {
            "fault": str(fault),
            "kind": fault.kind,
            "lasted": round(lasted, 2),
        }
        ends = {end: seconds and round(seconds, 2) for end, seconds in vars(recovery).items()}
        self.journals["faults"].write(entry | ends | {"recovered": recovery.seconds})

    def _until_still(self) -> bool:
        """Everything promised is in the database, nothing waits to be told, the screens agree."""
        kept = evidence.Evidence(journals={"posts": list(read(self.folder / "posts.jsonl"))})
        wanted = len(promised(kept)[0])
        deadline = time.monotonic() + SETTLE_SECONDS
        while time.monotonic() < deadline:
            if self._has_arrived(wanted) and self._is_shown():
                return True
            time.sleep(1)
        return False

    def _has_arrived(self, wanted: int) -> bool:
        query = (
            "SELECT (SELECT count(*) FROM ingest.readings), (SELECT count(*) FROM alerts.outbox),"
            " (SELECT count(*) FROM alerts.deliveries WHERE state = 'queued')"
        )
        with psycopg.connect(self.fleet.database_url) as connection:
            found = connection.execute(query).fetchone()
        return found is not None and found[0] >= wanted and not any(found[1:])

    def _is_shown(self) -> bool:
        evidence.collect(self.fleet.database_url, self.folder)
        found = evidence.load(self.folder)
        self.shown = [{"name": f"{n}", **one.shown()} for n, one in enumerate(self.screens, 1)]
        found.journals["screens"] = self.shown
        return not list(check_screens(found))

    def _ask_receipts(self) -> None:
        posts = [one for one in read(self.folder / "posts.jsonl") if "receipt" in one]
        key = self.fleet.credentials["api_key"]
        step = max(1, len(posts) // RECEIPTS_ASKED)
        with httpx.Client(headers={"Authorization": f"Bearer {key}"}, timeout=20) as client:
            for post in posts[::step]:
                url = f"{self.fleet.addresses('gateway')[0]}/v1/receipts/{post['receipt']}"
                said = client.get(url).json()
                self.journals["receipts"].write({
                    "receipt": post["receipt"], "status": said["status"],
                    "quarantined": [one["index"] for one in said["quarantined"]],
                    "expected": [at for at, kind in enumerate(post["kinds"]) if kind == "c"],
                })  # fmt: skip


def _told(recovery: Recovery) -> str:
    ends = ", ".join(
        f"{end} {'NEVER' if seconds is None else f'{seconds:.1f}'}"
        for end, seconds in vars(recovery).items()
    )
    total = "NOT RECOVERED" if recovery.seconds is None else f"{recovery.seconds:.1f} s"
    return f"recovered {total} ({ends})"


@contextmanager
def running(folder: Path, probes: int) -> Iterator[Run]:
    """Traffic on a fleet, steady. `probes`: how many faults are to come at most."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # of our own producer, all expected
    names = ("posts", "hooks", "screens", "receipts", "faults", "memory", "clients")
    journals = {name: Journal(folder / f"{name}.jsonl") for name in names}
    receiver = Receiver(journals["hooks"])
    try:
        with background() as loop, fleet(folder, loop, receiver.port) as city:
            run = _begin(folder, city, loop, journals, receiver, probes)
            try:
                yield run
            finally:
                for poster in run.posters:
                    poster.stop.set()
    finally:
        receiver.close()
        for journal in journals.values():
            journal.close()


def _begin(
    folder: Path, city: Fleet, loop: Background, journals: dict[str, Journal], receiver: Receiver,
    probes: int,
) -> Run:  # fmt: skip
    key, token = city.credentials["api_key"], city.credentials["screen_token"]
    mine = [[f"p{n}-{at}" for at in range(SENSORS_EACH)] for n in range(POSTERS)]
    topic = [f"topic-{at}" for at in range(4)]
    probed = [name for number in range(probes + 1) for name in sensors(number)]
    _register(city, [*chain.from_iterable(mine), *topic, *probed])
    _subscribe(city, receiver.url)
    addresses = city.addresses("gateway")
    clients = {f"poster {n}": Client(addresses, key, journals["posts"]) for n in range(POSTERS)}
    posters = [
        Poster(client, own, number, POST_SECONDS)
        for number, (client, own) in enumerate(zip(clients.values(), mine, strict=True))
    ]
    clients["probe"] = Client(addresses, key, journals["posts"], PROBE_TIMEOUT_SECONDS)
    centres = city.addresses("ops_center")
    screens = [Screen(centres, token, first) for first in range(len(centres))]
    probe = Probe(city, clients["probe"], receiver, screens)
    run = Run(folder, city, loop, journals, receiver, screens, posters, probe, clients)
    loop.begin(weigh(city.pids, journals["memory"]))
    loop.begin(produce(city.kafka_bootstrap, key, topic, journals["posts"], run.producing))
    for screen in screens:
        loop.begin(screen.run())
    for poster in posters:
        poster.start()
    return run


def _register(city: Fleet, names: Sequence[str]) -> None:
    place = {"lon": 112.47, "lat": 23.05}
    rows = [{"sensor_id": n, "metrics": ["gas.concentration"], "location": place} for n in names]
    headers = {"Authorization": f"Bearer {city.credentials['api_key']}"}
    url = f"{city.addresses('gateway')[0]}/v1/sensors"
    answer = httpx.post(url, json=rows, headers=headers, timeout=60)
    assert answer.is_success, answer.text


def _subscribe(city: Fleet, url: str) -> None:
    address, admin = city.addresses("ops_center")[0], city.credentials["admin"]
    token = httpx.post(f"{address}/v1/session", json=admin, timeout=20).json()["token"]
    answer = httpx.post(
        f"{city.addresses('alerts')[0]}/v1/endpoints", json={"url": url, "events": ["*"]},
        headers={"Authorization": f"Bearer {token}"}, timeout=20,
    )  # fmt: skip
    assert answer.is_success, answer.text
