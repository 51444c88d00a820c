"""A database of the version without snapshots: its alerts go on, none is lost or raised twice."""

import json
from datetime import timedelta
from uuid import uuid4

import psycopg

from deploy.migrations.upgrade import upgrade
from shared.clock import to_micros
from shared.contracts.incident import AlertState, incident_id
from shared.contracts.topics import READINGS, partition_of
from shared.eventlog.postgres import PostgresLog
from shared.store.engine import make_engine
from tests.conftest import drop_database, scratch_database
from tests.integration.alerting import START, all_incidents, gas, outgoing, play

LEVEL = "water.level"
INCIDENT = """
INSERT INTO alerts.incidents (id, title, state, alert_state, grade, priority, subjects, rule_id,
  rule_version, metric, value, threshold, opened_at, updated_at, observed_at, version)
VALUES (%s, 't', 'open', 'active', 2, 1, ARRAY[%s], 'gas', 1, 'gas.concentration', 30, 20, %s, %s,
  %s, %s)
"""


async def test_active_and_pending_alerts_of_before_go_on(database_server: str) -> None:
    name, url = scratch_database(database_server)
    try:
        upgrade(url, "0007")
        log = await PostgresLog(url).open()
        await log.publish([outgoing([gas(1, 30)]), outgoing([("b", LEVEL, 0, 30)])])
        refired = to_micros(START + timedelta(seconds=1))
        with psycopg.connect(url) as connection:
            mine = incident_id("gas", "a", START)
            connection.execute(INCIDENT, (mine, "a", START, START, START, 3))
            states = {
                ("gas", "a"): {"phase": "active", "since_us": refired, "last_us": refired,
                               "incident": str(mine)},
                ("slow", "b"): {"phase": "pending", "since_us": to_micros(START),
                                "last_us": to_micros(START), "incident": ""},
                ("gas", "c"): {"phase": "normal", "since_us": 0, "last_us": refired,
                               "incident": ""},
            }  # fmt: skip
            for (rule_id, subject), state in states.items():
                connection.execute("INSERT INTO alerts.subjects VALUES (%s, %s, %s)",
                                   (rule_id, subject, json.dumps(state)))  # fmt: skip
            for sensor in "ab":
                connection.execute(
                    "INSERT INTO alerts.progress VALUES (%s, %s, %s, 1)",
                    (READINGS, partition_of(sensor, 4), await log.incarnation()),
                )
            connection.execute(
                "INSERT INTO alerts.timeline (event_id, incident_id, version, type, at, actor)"
                " VALUES (%s, %s, 3, 'incident.refired', %s, 'rules')", (uuid4(), mine, START),
            )  # fmt: skip
        upgrade(url)
        engine = make_engine(url)
        await log.publish([outgoing([gas(2, 31)]), outgoing([("b", LEVEL, 5, 30)])])
        await play(engine, log, 4)
        found = {item.rule_id: item for item in await all_incidents(engine)}
        assert found["gas"].id == mine
        assert (found["gas"].version, found["gas"].alert_state) == (3, AlertState.ACTIVE)
        assert found["slow"].observed_at == START
        await log.publish([outgoing([gas(3, 1)])])
        await play(engine, log, 5)
        [cleared] = [item for item in await all_incidents(engine) if item.rule_id == "gas"]
        assert (cleared.version, cleared.alert_state) == (4, AlertState.CLEARED)
        await log.close()
        await engine.dispose()
    finally:
        drop_database(database_server, name)
