"""`kill -9` of the engine's process, again and again, while incidents open and close."""

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from services.alerts.delivery.endpoints import Endpoints
from services.alerts.engine.engine import Engine
from services.alerts.engine.places import Places
from shared.clock import system_clock, to_micros
from shared.contracts.reading import Reading
from shared.contracts.topics import READINGS
from shared.eventlog.kafka import KafkaLog
from shared.eventlog.log import EventLog, Outgoing
from shared.store.embedded import free_port
from shared.store.tables import deliveries, timeline
from tests.integration.alerting import Receiver, repository, written
from tests.integration.story import RULES, Story, forget, names, record, ticks, told
from tests.waiting import eventually

ROOT = Path(__file__).parents[2]
# Far from what other tests may have left in the same Kafka.
START = datetime.now(UTC).replace(microsecond=0) - timedelta(days=3)
ROUNDS = 240  # of 5 s
KILLS = int(os.environ.get("YIWANG_TEST_KILLS", "50"))
KILLS_ON_KAFKA = int(os.environ.get("YIWANG_TEST_KILLS_ON_KAFKA", "3"))  # each a lost session


def portions(prefix: str, chance: random.Random) -> list[list[Outgoing]]:
    """What comes in every 5 seconds: alerts that come and go, late readings, ticks."""
    alone = [name for n in range(4) for name in names(f"{prefix}g", 1, n)]
    slow = [name for n in range(3) for name in names(f"{prefix}w", 1, n)]
    noisy = names(f"{prefix}n", 3, 1)
    made: list[list[Outgoing]] = []
    for number in range(ROUNDS):
        now = START + timedelta(seconds=5 * number)
        portion = []
        for metric, sensors in (("gas.concentration", alone), ("water.level", slow),
                                ("noise.level", noisy)):  # fmt: skip
            for sensor in sensors:
                late = chance.choice((0, 0, 0, 0, 20))
                over = (number // chance.choice((6, 7))) % 3 == 1
                at = to_micros(now - timedelta(seconds=late))
                value = chance.uniform(25, 60) if over else chance.uniform(0, 18)
                portion.append(record([Reading(sensor, metric, at, value)], to_micros(now)))
        made.append(portion + ticks(now))
    return made


class Process:
    """`python -m services.alerts`, which dies and comes back."""

    def __init__(self, folder: Path, database_url: str, bootstrap: str | None) -> None:
        rules = folder / "rules"
        rules.mkdir()
        documents = [rule.model_dump(mode="json", by_alias=True, exclude_defaults=True)
                     for rule in RULES]  # fmt: skip
        (rules / "rules.yaml").write_text(yaml.safe_dump(documents, allow_unicode=True))
        own = {"DATABASE_URL": database_url, "RULES_DIR": str(rules), "DATA_DIR": str(folder),
               "PORT": str(free_port()), "WEBHOOK_ALLOW_CIDRS": "127.0.0.0/8"}  # fmt: skip
        if bootstrap is not None:
            own["KAFKA_BOOTSTRAP"] = bootstrap
        self.environment = os.environ | {f"YIWANG_{name}": value for name, value in own.items()}
        self.log = folder / "alerts.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as sink:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "services.alerts"],
                cwd=ROOT, env=self.environment, stdout=sink, stderr=sink, start_new_session=True,
            )  # fmt: skip

    def kill(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()


@contextmanager
def running(folder: Path, database_url: str, bootstrap: str | None) -> Iterator[Process]:
    process = Process(folder, database_url, bootstrap)
    process.start()
    try:
        yield process
    finally:
        process.kill()


async def undisturbed(engine: AsyncEngine, log: EventLog, stream: list[list[Outgoing]]) -> Story:
    """What one engine tells that nobody disturbs, in this process; then all is forgotten."""
    store, stop = await repository(engine, log), asyncio.Event()
    judging = asyncio.create_task(Engine(RULES, Places(store), store).run(log, stop))
    for portion in stream:
        await log.publish(portion)
    goal = sum((await log.ends(READINGS)).values())

    async def done() -> bool:
        assert not judging.done(), judging.exception()
        return await written(store) >= goal

    assert await eventually(done, 60)
    stop.set()
    await judging
    story = await told(engine)
    await forget(engine)
    return story


async def killed_again_and_again(
    engine: AsyncEngine,
    log: EventLog,
    process: Process,
    stream: list[list[Outgoing]],
    chance: random.Random,
    kills: int,
) -> None:
    store = await repository(engine, log)
    cuts = sorted(chance.sample(range(1, len(stream)), kills))
    for first, following in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        before = await written(store)
        for portion in stream[first:following]:
            await log.publish(portion)
        goal = sum((await log.ends(READINGS)).values())
        target = goal if following == len(stream) else chance.randint(before, goal)

        async def reached(target: int = target) -> bool:
            assert process.process is not None
            assert process.process.poll() is None, process.log.read_text()[-3000:]
            return await written(store) >= target

        # Sometimes it dies before it has done anything, or while it loads.
        patience = 120.0 if following == len(stream) else chance.choice((0.3, 1.5, 3.0, 60.0))
        assert await eventually(reached, patience) or patience < 120, process.log.read_text()
        process.kill()
        process.start()


async def everything_arrives(engine: AsyncEngine, receivers: list[Receiver]) -> None:
    """Each transition at least once, under an id of its own, each incident's in order."""

    async def empty() -> bool:
        query = select(func.count()).where(deliveries.c.state != "delivered")
        async with engine.connect() as connection:
            return (await connection.execute(query)).scalar_one() == 0

    assert await eventually(empty, 240)
    async with engine.connect() as connection:
        steps = {row.event_id: row for row in await connection.execute(select(timeline))}
        sent = (await connection.execute(select(deliveries))).all()
    telling = {row.event_id for row in sent}
    assert len({row.delivery_id for row in sent}) == len(sent) == len(telling) * len(receivers)
    first_steps = {one for one, row in steps.items() if row.type == "incident.opened"}
    assert first_steps <= telling
    for receiver in receivers:
        versions: dict[str, list[int]] = defaultdict(list)
        seen: set[str] = set()
        for headers, body in receiver.seen:
            data = json.loads(body)["data"]
            if headers["webhook-id"] not in seen:
                versions[data["id"]].append(data["version"])
            seen.add(headers["webhook-id"])
        assert len(seen) == len(telling)
        for incident, order in versions.items():
            assert order == sorted(set(order)), incident


@pytest.mark.timeout(900)
@pytest.mark.parametrize("kind", ["embedded", "kafka"])
async def test_fifty_kills_tell_the_same_incidents_and_timelines(
    engine: AsyncEngine,
    event_log: EventLog,
    database_url: str,
    tmp_path: Path,
    kind: str,
    receivers: list[Receiver],
    request: pytest.FixtureRequest,
) -> None:
    """And every step of theirs is delivered to each of two receivers, one of which fails."""
    seed = random.randrange(1_000_000)
    print(f"seed {seed}")
    chance = random.Random(seed)
    prefix = f"k{seed}-"
    stream = portions(prefix, chance)
    expected = await undisturbed(engine, event_log, stream)
    log, bootstrap, kills = event_log, None, KILLS
    receivers += [
        Receiver(),
        Receiver(*[(500, {}), (200, {}), (200, {"x-cut": "1"})] * 6, (200, {})),
    ]
    for receiver in receivers:
        await Endpoints(engine, system_clock).add(receiver.url, ["*"])
    if kind == "kafka":
        bootstrap, kills = request.getfixturevalue("kafka_bootstrap"), KILLS_ON_KAFKA
        log = await KafkaLog(bootstrap).open()
    with running(tmp_path, database_url, bootstrap) as process:
        await killed_again_and_again(engine, log, process, stream, chance, kills)
        await everything_arrives(engine, receivers)
    if kind == "kafka":
        await log.close()
    found = await told(engine, prefix)
    assert sum(len(story["alerts"]) for story in expected.values()) > 100
    assert found.keys() == expected.keys()
    for incident, story in expected.items():
        assert found[incident] == story
