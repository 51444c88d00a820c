"""A database role for each service: it writes its own schema, and reads of the others' what it
needs. Whoever breaks into one cannot write what another one owns.

`grant` is run by the owner of the database (`python -m services setup`), after every migration.
"""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

from deploy.migrations.ownership import hand_over
from shared.errors import Misconfigured, Unavailable
from shared.store.engine import libpq_url
from shared.store.tables import CHAINS, metadata

# Service → the schema that it writes. The embedded event log is everybody's.
OWN = {"ingest": "ingest", "alerts": "alerts", "ops_center": "ops"}
LOG = "eventlog"
# What no other service has any business to read: signing keys and the receivers' secrets.
PRIVATE = {"alerts": ("alerts.link_keys", "alerts.endpoints")}
_SCHEMAS = sorted({str(table.schema) for table in metadata.sorted_tables})


def role_of(service: str, database: str) -> str:
    """The role's name: roles are the server's, so a database's own ones carry its name."""
    return f"yiwang_{service}" if database == "yiwang" else f"{database}_{service}"


def ensure(database_url: str, folder: Path) -> Mapping[str, str]:
    """Make what is missing of the roles and their rights; service → address, each kept in a file
    of `folder` that only its owner may read. Raises `Misconfigured`, `Unavailable`."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    url = make_url(database_url)
    names = {service: role_of(service, url.database or "postgres") for service in OWN}
    passwords = {service: _password(folder / service, role) for service, role in names.items()}
    try:
        with psycopg.connect(libpq_url(database_url)) as connection:
            for service, role in names.items():
                _make(connection, role, passwords[service])
            connection.commit()  # somebody else may have to help them to a right
            for service, role in names.items():
                _grant(connection, service, role)
    except psycopg.errors.InsufficientPrivilege as error:
        raise Misconfigured(f"the database's owner may not make roles: {error}") from error
    except psycopg.OperationalError as error:
        raise Unavailable(f"database: {error}") from error
    addresses = {
        service: url.set(username=role, password=passwords[service]).render_as_string(
            hide_password=False
        )
        for service, role in names.items()
    }
    for service, address in addresses.items():
        _keep(folder / service, address)
    return addresses


def _password(file: Path, role: str) -> str:
    """The one of last time, if it is this role's."""
    if file.exists():
        known = make_url(file.read_text(encoding="utf-8").strip())
        if known.username == role and known.password:
            return str(known.password)
    return secrets.token_urlsafe(32)


def _keep(file: Path, address: str) -> None:
    partial = file.with_suffix(".partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as written:
        written.write(f"{address}\n")
    partial.replace(file)


def _grant(connection: psycopg.Connection, service: str, name: str) -> None:
    role = sql.Identifier(name)
    own = sql.Identifier(OWN[service])
    for schema in map(sql.Identifier, _SCHEMAS):
        for statement in (
            "REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {role}",
            "GRANT USAGE ON SCHEMA {schema} TO {role}",
            "GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {role}",
        ):
            connection.execute(sql.SQL(statement).format(schema=schema, role=role))
    for schema in (own, sql.Identifier(LOG)):
        for statement in (
            "GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role}",
            "GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO {role}",
        ):
            connection.execute(sql.SQL(statement).format(schema=schema, role=role))
    _keep_back(connection, service, role)
    if service == "ingest":
        create = sql.SQL("GRANT CREATE ON SCHEMA {} TO {}").format(own, role)
        connection.execute(create)  # an owner must be able to
        hand_over(connection, name)


def _keep_back(connection: psycopg.Connection, service: str, role: sql.Identifier) -> None:
    """Audit rows are added, never changed, by their own service alone; secrets are private."""
    for chain in CHAINS.values():
        named = sql.Identifier(str(chain.schema), chain.name)
        connection.execute(sql.SQL("REVOKE UPDATE, DELETE ON {} FROM {}").format(named, role))
    for owner, tables in PRIVATE.items():
        for table in tables if service != owner else ():
            named = sql.Identifier(*table.split("."))
            connection.execute(sql.SQL("REVOKE ALL ON {} FROM {}").format(named, role))


def _make(connection: psycopg.Connection, name: str, password: str) -> None:
    found = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (name,)).fetchone()
    verb = sql.SQL("ALTER" if found else "CREATE")
    connection.execute(
        sql.SQL("{} ROLE {} LOGIN PASSWORD {}").format(
            verb, sql.Identifier(name), sql.Literal(password)
        )
    )
    # Who makes the next migration must still be able to change what the role owns.
    connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(name)))
