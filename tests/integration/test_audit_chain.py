"""The audit log: whoever changes, removes or reorders a row is found; secrets are not in it."""

import asyncio
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.store.audit import Action, By, Verdict, record, verify
from shared.store.tables import ops_audit
from tests.product import ROOT

NOW = datetime(2026, 5, 1, 8, 0, 0, 123456, tzinfo=UTC)
LI = By("li", "person", "192.0.2.7", "r1")


async def written(engine: AsyncEngine, count: int = 6) -> Verdict:
    for number in range(count):
        async with engine.begin() as connection:
            at = NOW + timedelta(seconds=number)
            action = Action("key.changed", f"k{number}", at, {"n": number}, {"名": 1.5})
            await record(connection, ops_audit, LI, action)
    return await verdict(engine)


async def verdict(engine: AsyncEngine, head: str | None = None) -> Verdict:
    async with engine.connect() as connection:
        return await verify(connection, ops_audit, head)


async def tamper(engine: AsyncEngine, *statements: str) -> None:
    """As somebody who owns the database."""
    async with engine.begin() as connection:
        await connection.execute(text("ALTER TABLE ops.audit DISABLE TRIGGER audit_is_kept"))
        for statement in statements:
            await connection.execute(text(statement))
        await connection.execute(text("ALTER TABLE ops.audit ENABLE TRIGGER audit_is_kept"))


async def test_an_honest_chain_is_intact(engine: AsyncEngine) -> None:
    assert (await verdict(engine)).fault is None
    found = await written(engine)
    assert (found.rows, found.fault) == (6, None)
    assert (await verdict(engine, found.head)).fault is None


@pytest.mark.parametrize(
    ("statements", "fault"),
    [
        (["UPDATE ops.audit SET actor = 'wei' WHERE seq = 3"], "row 3 was changed"),
        (["UPDATE ops.audit SET at = at + interval '1 us' WHERE seq = 1"], "row 1 was changed"),
        (["UPDATE ops.audit SET change = '{}' WHERE seq = 6"], "row 6 was changed"),
        (["UPDATE ops.audit SET address = '' WHERE seq = 2"], "row 2 was changed"),
        (["DELETE FROM ops.audit WHERE seq = 1"], "row 1 is missing"),
        (["DELETE FROM ops.audit WHERE seq = 4"], "row 4 is missing"),
        (
            ["DELETE FROM ops.audit WHERE seq = 4", "UPDATE ops.audit SET seq = 4 WHERE seq = 5",
             "UPDATE ops.audit SET seq = 5 WHERE seq = 6"],
            "row 4 does not follow row 3",
        ),
        (
            ["UPDATE ops.audit SET seq = 9 WHERE seq = 2", "UPDATE ops.audit SET seq = 2 WHERE seq"
             " = 3", "UPDATE ops.audit SET seq = 3 WHERE seq = 9"],
            "row 2 does not follow row 1",
        ),
        (["DELETE FROM ops.audit WHERE seq > 4"], "is gone"),
        (["TRUNCATE ops.audit"], "is gone"),
    ],
)  # fmt: skip
async def test_whoever_touches_a_row_is_found(
    engine: AsyncEngine, statements: list[str], fault: str
) -> None:
    head = (await written(engine)).head
    await tamper(engine, *statements)
    found = await verdict(engine, head)
    assert found.fault is not None
    assert fault in found.fault


async def test_rows_are_neither_changed_nor_deleted_by_mistake(engine: AsyncEngine) -> None:
    await written(engine)
    for statement in ("UPDATE ops.audit SET actor = ''", "DELETE FROM ops.audit"):
        with pytest.raises(DBAPIError, match="append-only"):
            async with engine.begin() as connection:
                await connection.execute(text(statement))


async def test_many_at_once_make_one_chain_and_what_fails_leaves_no_row(
    engine: AsyncEngine,
) -> None:
    async def act(number: int) -> None:
        async with engine.connect() as connection, connection.begin() as transaction:
            await record(connection, ops_audit, LI, Action("x", str(number), NOW))
            if number % 3 == 0:
                await transaction.rollback()

    await asyncio.gather(*(act(number) for number in range(30)))
    found = await verdict(engine)
    assert (found.rows, found.fault) == (20, None)


async def test_secrets_are_not_kept(engine: AsyncEngine) -> None:
    row: dict[str, Any] = {
        "secret": "s3cret", "password_hash": "s3cret", "token_sha256": b"s3cret", "phone": "s3cret",
        "url": "https://hook.example.org/send?key=s3cret", "must_change_password": True,
        "deep": [{"api_token": "s3cret"}], "name": "seen",
    }  # fmt: skip
    async with engine.begin() as connection:
        await record(connection, ops_audit, LI, Action("x", "y", NOW, row, row))
        [kept] = (await connection.execute(select(ops_audit.c.change))).scalars()
    assert "s3cret" not in kept
    after = json.loads(kept)["after"]
    assert (after["name"], after["url"]) == ("seen", "https://hook.example.org/send?***")
    assert after["must_change_password"] is True


async def test_the_command_says_what_it_found(engine: AsyncEngine, database_url: str) -> None:
    head = f"ops:{(await written(engine)).head}"
    whole = await asyncio.to_thread(run, database_url, "--head", head)
    assert (whole.returncode, "ops: intact, 6 rows" in whole.stdout) == (0, True)
    assert head in whole.stdout
    await tamper(engine, "UPDATE ops.audit SET subject = 'k9' WHERE seq = 2")
    broken = await asyncio.to_thread(run, database_url)
    assert (broken.returncode, "ops: row 2 was changed" in broken.stdout) == (1, True)


def run(url: str, *more: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "services.ops_center", "audit", "verify"]
    return subprocess.run(
        [*command, "--database-url", url, *more],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
