"""Each service's own database role, on a real server: it can do its work and nothing else's."""

import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy.engine import make_url

from deploy.migrations import roles
from deploy.migrations.upgrade import upgrade
from shared.errors import Misconfigured
from shared.store.tables import CHAINS, metadata
from tests import community
from tests.conftest import drop_database, scratch_database

WRITES = {"ingest": {"ingest", "eventlog"}, "alerts": {"alerts", "eventlog"},
          "ops_center": {"ops", "eventlog"}}  # fmt: skip
TABLES = [(str(table.schema), table.name) for table in metadata.sorted_tables]
AUDIT = {(str(chain.schema), chain.name) for chain in CHAINS.values()}


@pytest.fixture(scope="module")
def addresses(
    database_server: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mapping[str, str]]:
    """Service → the address of its role."""
    name, url = scratch_database(database_server)
    upgrade(url)
    folder = tmp_path_factory.mktemp("roles")
    made = roles.ensure(url, folder)
    assert roles.ensure(url, folder) == made  # a second start changes no password
    for service, address in made.items():
        file = folder / service
        assert file.read_text() == f"{address}\n"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    yield made
    drop_database(database_server, name)
    with psycopg.connect(database_server, autocommit=True) as connection:
        for service in made:
            role = sql.Identifier(roles.role_of(service, name))
            connection.execute(sql.SQL("DROP ROLE {}").format(role))


def refused(connection: psycopg.Connection, statement: sql.Composed) -> bool:
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(statement)
    except psycopg.errors.InsufficientPrivilege:
        return True
    except psycopg.Error:  # a trigger, a constraint: it was let in
        return False
    return False


@pytest.mark.parametrize("service", sorted(WRITES))
def test_a_service_writes_its_own_tables_and_no_others(
    addresses: Mapping[str, str], service: str
) -> None:
    wrong = []
    with psycopg.connect(addresses[service]) as connection:
        for schema, name in TABLES:
            table = sql.Identifier(schema, name)
            may = schema in WRITES[service]
            ways = {
                "insert": (sql.SQL("INSERT INTO {} DEFAULT VALUES"), may),
                "delete": (sql.SQL("DELETE FROM {}"), may and (schema, name) not in AUDIT),
                "truncate": (sql.SQL("TRUNCATE {}"), False),
                "lock": (sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE"),
                         may and (schema, name) not in AUDIT),
            }  # fmt: skip
            wrong += [
                f"{service} {'may not' if expected else 'may'} {way} {schema}.{name}"
                for way, (statement, expected) in ways.items()
                if refused(connection, statement.format(table)) is expected
            ]
    assert not wrong, wrong


@pytest.mark.parametrize("service", sorted(WRITES))
def test_a_service_cannot_make_itself_more(addresses: Mapping[str, str], service: str) -> None:
    statements = [
        "CREATE ROLE intruder SUPERUSER", "ALTER ROLE CURRENT_USER SUPERUSER",
        "COPY ops.accounts TO PROGRAM 'cat'",
        "SELECT pg_read_file('/etc/passwd')", "CREATE TABLE ops.mine (a int)",
        "CREATE FUNCTION alerts.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "ALTER TABLE ingest.audit DISABLE TRIGGER ALL", "DROP TABLE ingest.sensors",
        "ALTER TABLE ops.audit OWNER TO CURRENT_USER", "SET ROLE pg_write_all_data",
        "DROP SCHEMA alerts CASCADE",
    ]  # fmt: skip
    with psycopg.connect(addresses[service]) as connection:
        assert [one for one in statements if not refused(connection, sql.SQL(one).format())] == []


def test_secrets_are_their_own_service_s(addresses: Mapping[str, str]) -> None:
    for service, may in {"alerts": True, "ingest": False, "ops_center": False}.items():
        with psycopg.connect(addresses[service]) as connection:
            for table in ("link_keys", "endpoints"):
                query = sql.SQL("SELECT * FROM {}").format(sql.Identifier("alerts", table))
                assert refused(connection, query) is not may, (service, table)


def test_ingest_may_drop_what_is_too_old(addresses: Mapping[str, str]) -> None:
    with psycopg.connect(addresses["ingest"]) as connection:
        found = connection.execute(
            "SELECT 1 FROM pg_extension WHERE extname = 'timescaledb'"
        ).fetchone()
        if found is None:
            pytest.skip("NO TIMESCALEDB: plain PostgreSQL has no chunks to drop")
        connection.execute(
            "INSERT INTO ingest.readings SELECT * FROM jsonb_populate_record(NULL::ingest.readings,"
            " jsonb_build_object('sensor_id', 'x', 'metric', 'y', 'observed_at', '2020-01-01Z',"
            " 'value', 1, 'quality', 0, 'accepted_at', '2020-01-01Z', 'source', ''))"
        )
        query = "SELECT drop_chunks('ingest.readings', older_than => '2021-01-01Z'::timestamptz)"
        assert connection.execute(query).fetchall()


@pytest.fixture
def owned(database_server: str) -> Iterator[tuple[str, str]]:
    """The superuser's and the owner's address of an empty database; the owner is no superuser."""
    name, url = scratch_database(database_server)
    owner = f"{name}_owner"
    with psycopg.connect(database_server, autocommit=True) as connection:
        make = "CREATE ROLE {} LOGIN CREATEROLE PASSWORD 'x'"
        connection.execute(sql.SQL(make).format(sql.Identifier(owner)))
        grant = "GRANT pg_read_all_settings TO {}"
        connection.execute(sql.SQL(grant).format(sql.Identifier(owner)))
        named = (sql.Identifier(name), sql.Identifier(owner))
        connection.execute(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(*named))
    with psycopg.connect(url, autocommit=True) as connection:
        found = "SELECT 1 FROM pg_available_extensions WHERE name = 'timescaledb'"
        if connection.execute(found).fetchone():
            connection.execute("CREATE EXTENSION timescaledb")
    own = make_url(url).set(username=owner, password="x").render_as_string(hide_password=False)
    upgrade(own)
    yield url, own
    drop_database(database_server, name)
    with psycopg.connect(database_server, autocommit=True) as connection:
        for role in (*(roles.role_of(service, name) for service in roles.OWN), owner):
            connection.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(role)))


COMPRESSION = """
SELECT hypertable_name, count(job_id), count(DISTINCT j.owner)
FROM timescaledb_information.jobs AS j
JOIN timescaledb_information.hypertables USING (hypertable_schema, hypertable_name)
WHERE proc_name = 'policy_compression' AND compression_enabled GROUP BY 1 ORDER BY 1
"""


def test_an_owner_who_is_no_superuser_can_do_it_too(owned: tuple[str, str], tmp_path: Path) -> None:
    for _ in range(2):  # a later start, too
        upgrade(owned[1])
        made = roles.ensure(owned[1], tmp_path)
    with psycopg.connect(made["ops_center"]) as connection:
        assert connection.execute("SELECT count(*) FROM ingest.readings").fetchone() == (0,)
        if community.compresses(owned[0]):
            found = connection.execute(COMPRESSION).fetchall()
            assert found == [("readings", 1, 1), ("rollups_1m", 1, 1)]


def test_what_is_compressed_already_needs_a_superuser_once(
    owned: tuple[str, str], tmp_path: Path
) -> None:
    community.needed(owned[0])
    with psycopg.connect(owned[1], autocommit=True) as connection:
        connection.execute("INSERT INTO ingest.readings VALUES ('s', 'm', '2020-01-01Z', 1, 0)")
        connection.execute("SELECT compress_chunk(c) FROM show_chunks('ingest.readings') AS c")
    with pytest.raises(Misconfigured, match="GRANT CREATE ON SCHEMA") as told:
        roles.ensure(owned[1], tmp_path)
    with psycopg.connect(owned[0], autocommit=True) as connection:
        connection.execute(told.value.args[0].partition(" must first run ")[2].encode())
    made = roles.ensure(owned[1], tmp_path)
    with psycopg.connect(made["ingest"]) as connection:
        query = "SELECT drop_chunks('ingest.readings', older_than => '2021-01-01Z'::timestamptz)"
        assert len(connection.execute(query).fetchall()) == 1


def test_a_wrong_owner_is_told_so(addresses: Mapping[str, str], tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="may not make roles"):
        roles.ensure(addresses["alerts"], tmp_path)
