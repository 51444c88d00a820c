"""A grant from request to key, over HTTP, as the people of the access tests."""

from datetime import timedelta
from typing import Any

import httpx

from shared.clock import system_clock
from tests.integration.access.city import City

FIELDS = ("readings.sensor_id", "readings.metric", "readings.observed_at", "readings.value")


def wanted(**fields: Any) -> dict[str, Any]:
    """What the water board asks for."""
    ends = (system_clock() + timedelta(days=30)).isoformat()
    asked = {"recipient": "水利局", "purpose": "洪水预报", "fields": list(FIELDS), "ends_at": ends}
    return asked | fields


async def call(home: City, method: str, path: str, who: str, body: Any = None) -> httpx.Response:
    """As somebody; `who`: a token."""
    headers = {"Authorization": f"Bearer {who}"}
    return await home.client.request(method, path, headers=headers, json=body)


async def lent(home: City, **fields: Any) -> tuple[str, str]:
    """(grant id, token) of an approved grant that a viewer asked for."""
    asked = await call(home, "POST", "/v1/grants", "viewer", wanted(**fields))
    assert asked.status_code == 201, asked.text
    grant_id = asked.json()["grant_id"]
    decision = {"approve": True, "reason": "防汛"}
    decided = await call(home, "POST", f"/v1/grants/{grant_id}/decision", "admin", decision)
    assert decided.status_code == 200, decided.text
    made = await call(home, "POST", f"/v1/grants/{grant_id}/key", "viewer")
    assert made.status_code == 201, made.text
    return grant_id, made.json()["token"]
