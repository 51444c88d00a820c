"""Credentials of one data directory, whichever database stands behind it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select

from deploy.migrations.upgrade import upgrade
from services import first_start
from shared.clock import system_clock
from shared.settings import Settings
from shared.store.engine import make_engine
from shared.store.tables import accounts
from shared.web.authenticator import Authenticator
from tests.conftest import drop_database, scratch_database


@pytest.fixture
def two_databases(database_server: str) -> Iterator[list[str]]:
    made = [scratch_database(database_server) for _ in range(2)]
    for _, url in made:
        upgrade(url)
    yield [url for _, url in made]
    for name, _ in made:
        drop_database(database_server, name)


async def test_one_file_of_credentials_opens_every_database_of_its_directory(
    two_databases: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(first_start, "at_a_terminal", lambda: True)
    settings = Settings(data_dir=tmp_path)
    await first_start.prepare(settings, two_databases[0])
    known = json.loads(settings.credentials_path.read_text())
    assert known["api_key"] in capsys.readouterr().out
    await first_start.prepare(settings, two_databases[1])
    assert json.loads(settings.credentials_path.read_text()) == known
    assert known["api_key"] not in capsys.readouterr().out
    for url in two_databases:
        engine = make_engine(url, pool_size=1)
        tokens = Authenticator(engine, system_clock)
        for name, kind in (("api_key", "key"), ("screen_token", "screen")):
            identity = await tokens.identify(known[name])
            assert identity is not None
            assert identity.kind == kind
        async with engine.connect() as connection:
            kept = (await connection.execute(select(accounts.c.password_hash))).scalar_one()
        assert PasswordHasher().verify(kept, known["admin"]["password"])
        await engine.dispose()


async def test_a_log_is_not_told_what_a_person_is(
    two_databases: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = Settings(data_dir=tmp_path)
    await first_start.prepare(settings, two_databases[0])
    known = json.loads(settings.credentials_path.read_text())
    printed = capsys.readouterr().out
    assert str(settings.credentials_path) in printed
    for secret in (known["api_key"], known["screen_token"], known["admin"]["password"]):
        assert secret not in printed
    assert first_start.wall_query(settings.credentials_path) == ""
