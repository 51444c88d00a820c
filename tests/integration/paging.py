"""What the tests of paging share: people with contacts, and a pager on a clock that can be put
forward."""

import asyncio
import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from services.alerts.delivery.endpoints import Endpoints
from services.alerts.oncall.chain import Chain
from services.alerts.oncall.entry import Person
from services.alerts.oncall.repository import Repository
from services.alerts.oncall.route import Route
from services.alerts.paging.links import SignedLinks
from services.alerts.paging.pager import Pager
from shared.store.tables import deliveries, notices
from tests.integration.delivering import NOWHERE, Later

PUBLIC = "https://city.example.org"
LINKS = SignedLinks("a secret", PUBLIC)
CHAIN = Chain.model_validate(
    {
        "chain_id": "chain",
        "name": "chain",
        "steps": [
            {"kind": "notify", "targets": [{"kind": "person", "id": "li"}]},
            {"kind": "wait", "minutes": 5},
            {"kind": "notify", "targets": [{"kind": "person", "id": "wang"}]},
            {"kind": "wait", "minutes": 5},
        ],
    }
)
ROUTE = Route(route_id="route", name="route", chain="chain")


class Night:
    """People on call, and their pager."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self.clock = Later()
        self.oncall = Repository(engine, self.clock)
        self.endpoints = Endpoints(engine, self.clock)
        self.contacts: dict[str, UUID] = {}
        self.pager = self.another()

    def another(self) -> Pager:
        """A pager as a further process would have it."""
        oncall = Repository(self.engine, self.clock)
        return Pager(self.engine, oncall, LINKS, self.clock, asyncio.Event(), asyncio.Event())

    async def people(self, urls: dict[str, str]) -> None:
        """Enter them, each with a webhook, or nowhere."""
        for name, url in urls.items():
            made = await self.endpoints.add(url or NOWHERE, [])
            self.contacts[name] = made["endpoint_id"]
            person = Person(person_id=name, name=name, contacts=(made["endpoint_id"],))
            await self.oncall.put(person, "test")

    async def begin(self, urls: dict[str, str] | None = None, route: Route = ROUTE) -> "Night":
        """Li and then Wang, by one route."""
        await self.people(urls or {"li": "", "wang": ""})
        await self.oncall.put(CHAIN, "test")
        await self.oncall.put(route, "test")
        return self

    async def look(self, seconds: float = 0) -> None:
        """Put the clock forward, then do all that is due."""
        self.clock.ahead += timedelta(seconds=seconds)
        while await self.pager.look():
            pass

    async def pages(self) -> list[dict[str, Any]]:
        """Queued, the oldest first: person, state, and the message."""
        query = select(deliveries).where(deliveries.c.purpose == "paging")
        async with self.engine.connect() as connection:
            rows = await connection.execute(query.order_by(deliveries.c.created_at))
            return [dict(row._mapping) | json.loads(row.body) for row in rows]

    async def delivered(self) -> None:
        """As if what is queued had arrived."""
        async with self.engine.begin() as connection:
            await connection.execute(update(deliveries).values(state="delivered"))

    async def notices(self) -> Sequence[Any]:
        """The oldest first."""
        query = select(notices).order_by(notices.c.created_at, notices.c.recipient)
        async with self.engine.connect() as connection:
            return (await connection.execute(query)).all()
