"""What is changed is recorded with how it was: the fields that differ, before and after."""

from typing import Any

import pytest

from tests.integration.access.city import City

PUT: tuple[tuple[str, str, dict[str, Any], dict[str, Any]], ...] = (
    ("department.entered", "/v1/departments/城东街道",
     {"name": {"zh": "城东街道", "en": "East"}, "areas": ["441203"]}, {"areas": []}),
    ("calendar.changed", "/v1/calendar",
     {"days": [{"day": "2026-12-05", "working": True}]},
     {"days": [{"day": "2026-12-05", "working": False, "note": "调休"}]}),
    ("person.entered", "/v1/people/li", {"person_id": "li", "name": "李"}, {"name": "李娜"}),
    ("retention.changed", "/v1/retention/brief", {"metrics": [], "raw_days": 9}, {"raw_days": 8}),
    ("door.mapped", "/v1/doors/ngsi/mapping", {"ignore": ["wind"]}, {"ignore": []}),
    ("dependencies.replaced", "/v1/dependencies",
     {"items": [{"upstream": "a", "downstream": "b"}]},
     {"items": [{"upstream": "a", "downstream": "c"}]}),
)  # fmt: skip
REMOVED = (
    ("department.removed", "/v1/departments/城东街道"),
    ("person.removed", "/v1/people/li"),
)


async def call(home: City, method: str, path: str, body: dict[str, Any] | None = None) -> None:
    headers = {"Authorization": "Bearer admin"}
    answer = await home.client.request(method, path, headers=headers, json=body)
    assert answer.status_code < 300, (path, answer.text)


async def trail(home: City, action: str) -> list[dict[str, Any]]:
    """The newest first: `before` and `after` of each row."""
    headers = {"Authorization": "Bearer admin"}
    answer = await home.client.get("/v1/audit", params={"action": action}, headers=headers)
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


@pytest.mark.parametrize(("action", "path", "first", "then"), PUT)
async def test_a_change_says_how_it_was(
    everything: City, action: str, path: str, first: dict[str, Any], then: dict[str, Any]
) -> None:
    await call(everything, "PUT", path, first)
    await call(everything, "PUT", path, first)
    await call(everything, "PUT", path, first | then)
    found = await trail(everything, action)
    assert len(found) == 2, "what changes nothing is no change"
    latest, earliest = found
    for name, value in latest["before"].items():
        assert value == earliest["after"].get(name), name
        assert value != latest["after"][name]
    assert latest["before"] and latest["before"].keys() == latest["after"].keys()


async def test_what_is_removed_is_kept_in_the_trail(everything: City) -> None:
    for _, path, first, _ in PUT[:3]:
        await call(everything, "PUT", path, first)
    for action, path in REMOVED:
        await call(everything, "DELETE", path)
        (gone,) = await trail(everything, action)
        assert gone["before"] and gone["after"] is None
