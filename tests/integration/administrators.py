"""People and keys of a small city: who is logged in, and keys made over HTTP."""

from datetime import timedelta
from typing import Any

import httpx
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.store.tables import accounts, screen_tokens, sessions
from shared.web.authenticator import token_hash
from tests.integration.cities import NOW, City, reading
from tests.waiting import eventually

ROLES = ("viewer", "operator", "dispatcher", "admin")


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def log_in_everybody(engine: AsyncEngine) -> None:
    """A session for each role, its token the role's name; and a screen."""
    async with engine.begin() as connection:
        for role in ROLES:
            person = {"username": role, "password_hash": "", "role": role}
            await connection.execute(insert(accounts).values(person))
            session = {"username": role, "expires_at": NOW + timedelta(days=1)}
            hashed = token_hash(role)
            await connection.execute(insert(sessions).values(session | {"token_sha256": hashed}))
        screen = {"token_sha256": token_hash("screen"), "name": "wall"}
        await connection.execute(insert(screen_tokens).values(screen))


async def ask(home: City, method: str, path: str, token: str = "admin", **more: Any) -> Any:
    return await home.client.request(method, path, headers=bearer(token), **more)


async def make(home: City, **wanted: Any) -> dict[str, Any]:
    answer = await ask(home, "POST", "/v1/keys", json={"name": "posting"} | wanted)
    assert answer.status_code == 201, answer.text
    assert answer.headers["cache-control"] == "no-store"
    made: dict[str, Any] = answer.json()
    return made


async def post(home: City, token: str, *items: dict[str, Any]) -> httpx.Response:
    body = list(items) or [reading()]
    return await home.client.post("/v1/readings", json=body, headers=bearer(token))


async def turns(home: City, token: str, status: int) -> bool:
    """The token's requests get `status` within the authenticator's two seconds."""

    async def seen() -> bool:
        return (await post(home, token)).status_code == status

    return await eventually(seen, 3)
