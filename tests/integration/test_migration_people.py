"""Accounts of an earlier version keep their role, everywhere, and their sessions."""

import psycopg

from deploy.migrations.upgrade import upgrade
from shared.clock import system_clock
from shared.store.engine import make_engine
from shared.web.authenticator import Authenticator, token_hash
from shared.web.rights import ROLES, may
from tests.conftest import drop_database, scratch_database


async def test_accounts_keep_their_role_in_all_of_the_city(database_server: str) -> None:
    name, url = scratch_database(database_server)
    try:
        upgrade(url, "0015")
        with psycopg.connect(url) as connection:
            for role in ROLES:
                connection.execute(
                    "INSERT INTO ops.accounts (username, password_hash, role) VALUES (%s, 'x', %s)",
                    (role, role),
                )
                connection.execute(
                    "INSERT INTO ops.sessions (token_sha256, username, expires_at)"
                    " VALUES (%s, %s, now() + interval '1 hour')",
                    (token_hash(f"t-{role}"), role),
                )
        upgrade(url)
        engine = make_engine(url)
        authenticator = Authenticator(engine, system_clock)
        for place, role in enumerate(ROLES):
            identity = await authenticator.identify(f"t-{role}")
            assert identity is not None
            assert (identity.role, identity.must_change) == (role, False)
            assert [may(identity, other) for other in ROLES] == [
                other <= place for other in range(len(ROLES))
            ]
        await engine.dispose()
    finally:
        drop_database(database_server, name)
