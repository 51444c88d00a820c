"""Keys made before quotas, confinement and rotation existed go on working."""

import psycopg

from deploy.migrations.upgrade import upgrade
from shared.clock import system_clock
from shared.store.engine import make_engine
from shared.web.authenticator import Authenticator, token_hash
from shared.web.identity import Quota
from tests.conftest import drop_database, scratch_database

OLD_KEY = """
INSERT INTO ingest.api_keys (key_id, name, prefix, token_sha256, scopes)
VALUES ('old', 'old', 'yw_key_abcd', %s, ARRAY['post', 'register'])
"""


async def test_a_key_of_the_first_version_is_still_valid(database_server: str) -> None:
    name, url = scratch_database(database_server)
    engine = make_engine(url)
    try:
        upgrade(url, "0001")
        with psycopg.connect(url) as connection:
            connection.execute(OLD_KEY, (token_hash("token"),))
        upgrade(url)
        identity = await Authenticator(engine, system_clock).identify("token")
        assert identity is not None
        assert identity.scopes == {"post", "register"}
        assert (identity.restrictions, identity.quota) == (None, Quota())
    finally:
        await engine.dispose()
        drop_database(database_server, name)
