"""Incidents made before alerts gathered go on: they have an alert each, and clear as before."""

from datetime import UTC, datetime

import psycopg

from deploy.migrations.upgrade import upgrade
from shared.contracts.incident import Alarm, incident_id
from shared.store.engine import make_engine
from tests.conftest import drop_database, scratch_database
from tests.integration.alerting import desk

START = datetime(2026, 5, 1, 8, tzinfo=UTC)
ACTIVE = incident_id("gas", "a", START)
CLEARED = incident_id("gas", "b", START)
FILL = """
INSERT INTO alerts.incidents (id, title, state, alert_state, grade, priority, area_id, subjects,
  rule_id, rule_version, metric, value, threshold, opened_at, updated_at, observed_at, version)
VALUES (%(id)s, 't', 'open', %(alert_state)s, 2, 1, '441202', ARRAY[%(subject)s], 'gas', 1,
  'gas.concentration', 30, 20, %(at)s, %(at)s, %(at)s, 1)
"""


ENTRY = """
INSERT INTO alerts.timeline (event_id, incident_id, version, type, at, actor)
VALUES (gen_random_uuid(), %s, %s, %s, %s, 'x')
"""
TYPES = ("opened", "refired", "acknowledged", "cleared", "closed", "reopened")


async def test_incidents_of_an_older_version_have_their_alerts(database_server: str) -> None:
    name, url = scratch_database(database_server)
    engine = make_engine(url)
    try:
        upgrade(url, "0007")
        with psycopg.connect(url) as connection:
            for which, subject, state in ((ACTIVE, "a", "active"), (CLEARED, "b", "cleared")):
                values = {"id": which, "subject": subject, "alert_state": state, "at": START}
                connection.execute(FILL, values)
            for version, kind in enumerate(TYPES, start=1):
                connection.execute(ENTRY, (ACTIVE, version, f"incident.{kind}", START))
        upgrade(url)
        with psycopg.connect(url) as connection:
            query = (
                "SELECT alert_id, incident_id, state, subject FROM alerts.alerts ORDER BY subject"
            )
            assert connection.execute(query).fetchall() == [
                (ACTIVE, ACTIVE, "active", "a"), (CLEARED, CLEARED, "cleared", "b"),
            ]  # fmt: skip
            query = "SELECT state FROM alerts.timeline ORDER BY version"
            assert [row[0] for row in connection.execute(query)] == [
                "open", "open", "acknowledged", "acknowledged", "closed", "open",
            ]  # fmt: skip
        found = await desk(engine).get(ACTIVE)
        assert found is not None
        incident = found[0]
        assert incident.alarms == (Alarm("a", "gas.concentration", 1),)
        assert (incident.kind, incident.members, incident.parent_id) == ("alert", 1, None)
    finally:
        await engine.dispose()
        drop_database(database_server, name)
