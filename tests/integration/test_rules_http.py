"""Rules over HTTP: versions, lost races, files and edits, and what is refused, where."""

import asyncio
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from services.alerts.rules.repository import Repository
from services.alerts.rules.source import Rules
from tests.integration.test_alerts_http import RULES, House
from tests.waiting import eventually

YAML = {"Content-Type": "application/yaml"}
LEVEL: dict[str, Any] = {
    "id": "level",
    "title": {"zh": "水位", "en": "level"},
    "metric": "water.level",
    "above": 8,
    "for": "1m",
    "grade": 2,
    "priority": 2,
}


async def yaml(house: House, method: str, path: str, text: str | bytes) -> tuple[int, Any]:
    headers = YAML | {"Authorization": "Bearer admin"}
    response = await house.client.request(method, path, content=text, headers=headers)
    return response.status_code, response.json()


async def test_a_rule_is_added_edited_switched_and_retired(house: House) -> None:
    status, made = await house.call("POST", "/v1/rules?note=flood", LEVEL, "admin")
    assert (status, made["version"], made["author"], made["note"]) == (201, 1, "admin-1", "flood")
    assert (await house.call("POST", "/v1/rules", LEVEL, "admin"))[0] == 409
    edited = made["document"] | {"above": 9}
    status, now = await house.call("PUT", "/v1/rules/level", edited, "admin")
    assert (status, now["version"], now["document"]["above"]) == (200, 2, 9)
    status, same = await house.call("PUT", "/v1/rules/level", now["document"], "admin")
    assert (status, same["version"]) == (200, 2)  # says nothing new
    status, off = await house.call("POST", "/v1/rules/level/disable", {"note": "repair"}, "admin")
    assert (status, off["version"], off["enabled"]) == (200, 3, False)
    stale = {"version": 2}
    status, problem = await house.call("POST", "/v1/rules/level/enable", stale, "admin")
    assert (status, problem["code"], problem["current"]["version"]) == (409, "stale", 3)
    assert (await house.call("DELETE", "/v1/rules/level?version=3", who="admin"))[0] == 204
    assert (await house.call("DELETE", "/v1/rules/level", who="admin"))[0] == 404
    _, listed = await house.call("GET", "/v1/rules")
    assert [rule["id"] for rule in listed["items"]] == ["gas"]
    _, gone = await house.call("GET", "/v1/rules/level")
    assert (gone["version"], gone["retired"]) == (4, True)
    status, back = await house.call("POST", "/v1/rules", LEVEL, "admin")
    assert (status, back["version"]) == (201, 5)
    seen: list[int] = []
    cursor = ""
    while cursor is not None:
        _, page = await house.call("GET", f"/v1/rules/level/versions?limit=2{cursor}")
        seen += [one["version"] for one in page["items"]]
        cursor = page["next"] and f"&cursor={page['next']}"
    assert seen == [5, 4, 3, 2, 1]


async def test_of_two_who_edit_the_same_version_one_is_told(house: House) -> None:
    _, made = await house.call("POST", "/v1/rules", LEVEL, "admin")
    edits = [made["document"] | {"above": 10 + number} for number in range(5)]
    answers = await asyncio.gather(
        *(house.call("PUT", "/v1/rules/level", edit, "admin") for edit in edits)
    )
    assert sorted(status for status, _ in answers) == [200, 409, 409, 409, 409]


async def test_an_edit_is_in_force_and_its_incidents_name_it(house: House) -> None:
    [first] = await house.opened()
    assert first["rule_version"] == 1
    _, rules = await house.call("GET", "/v1/rules")
    assert (rules["items"][0]["source"], rules["items"][0]["file"]) == ("file", "rules.yaml")
    edited = (await house.call("GET", "/v1/rules/gas"))[1]["document"] | {"priority": 2}
    assert (await house.call("PUT", "/v1/rules/gas", edited, "admin"))[0] == 200

    async def in_force() -> bool:
        [incident] = await house.opened()
        seen = (incident["rule_version"], incident["priority"])
        assert seen in ((1, 1), (2, 2))
        return seen == (2, 2)

    assert await eventually(in_force, 10)


WRONG: list[tuple[str | bytes, int, str]] = [
    ("id: level\nabove: [\n", 3, "not YAML"),
    ("- a\n- b\n", 1, "one rule"),
    ("", 1, "one rule"),
    ("5", 1, "a mapping"),
    (b"\xff", 1, "UTF-8"),
    ("id: level\nid: other\n", 2, "twice"),
    ("id: level\ndedband: 5\n", 1, "is missing"),
    ("id: level\ntitle: {zh: 高, en: high}\nmetric: water.level\nabove: x\ngrade: 2\n"
     "priority: 2\n", 4, "number"),
    ("id: level\ntitle: {zh: 高, en: high}\nmetric: water.level\nabove: 8\ngrade: 2\n"
     "priority: 2\ndedband: 5\n", 7, "is 'deadband' meant"),
    ("id: level\ntitle:\n  zh: 高\n  en: 5\nmetric: water.level\nabove: 8\ngrade: 2\n"
     "priority: 2\n", 4, "text"),
    ("id: level\ntitle: {zh: !!binary aGk=, en: high}\n", 1, "not text"),
    ('id: level\ntitle: {zh: "\\0", en: high}\n', 1, "cannot be kept"),
    ("a: &a [x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]\n"
     "c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b]\nd: [*c, *c, *c, *c, *c, *c, *c, *c, *c]\n",
     1, "too large"),
    ("a: &a [*a]\n", 1, "recursive"),
]  # fmt: skip


async def test_a_wrong_rule_in_yaml_is_refused_with_its_line(house: House) -> None:
    for text, line, said in WRONG:
        status, problem = await yaml(house, "POST", "/v1/rules", text)
        assert (status, problem["code"]) == (422, "invalid_rule"), text
        assert said in problem["detail"], text
        assert problem["line"] == line, text


async def test_what_is_refused_in_json_names_its_place(house: House) -> None:
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"above": "8"}, "/above"),
        ({"above": 8, "colour": "red"}, "/colour"),
        ({"title": {"zh": "x"}}, "/title/en"),
        ({"grade": 7}, "/grade"),
        ({"for": "soon"}, "/for"),
    ]
    for change, pointer in wrong:
        status, problem = await house.call("POST", "/v1/rules", LEVEL | change, "admin")
        assert (status, problem["pointer"]) == (422, pointer), change
    status, problem = await house.call("PUT", "/v1/rules/other", LEVEL | {"version": 1}, "admin")
    assert (status, problem["pointer"]) == (422, "/id")
    status, problem = await house.call("PUT", "/v1/rules/level", LEVEL, "admin")
    assert (status, problem["pointer"]) == (422, "/version")
    missing = LEVEL | {"version": 1}
    assert (await house.call("PUT", "/v1/rules/level", missing, "admin"))[0] == 404
    assert (await house.call("GET", "/v1/rules/level"))[0] == 404
    assert (await house.call("GET", "/v1/rules/level/versions"))[0] == 404
    headers = {"Authorization": "Bearer admin", "Content-Type": "text/html"}
    odd = await house.client.post("/v1/rules", content="x", headers=headers)
    assert odd.status_code == 415
    large = await yaml(house, "POST", "/v1/rules", "#" * 70_000)
    assert large[0] == 413


async def test_an_edit_is_known_to_every_process_and_counts_until_the_file_changes(
    house: House, engine: AsyncEngine, tmp_path: Path
) -> None:
    other, stop = Rules(Repository(engine)), asyncio.Event()
    await other.take_in(tmp_path)
    following = asyncio.create_task(other.follow(stop))
    _, gas = await house.call("GET", "/v1/rules/gas")
    await house.call("PUT", "/v1/rules/gas", gas["document"] | {"above": 33}, "admin")

    async def known() -> bool:
        return [rule.threshold for rule in other.current] == [33]

    assert await eventually(known, 5)
    stop.set()
    await following
    again = Rules(Repository(engine))
    await again.take_in(tmp_path)
    assert [(rule.version, rule.threshold) for rule in again.current] == [(2, 33)]
    _, listed = await house.call("GET", "/v1/rules")
    assert listed["items"][0]["overrides"] == "rules.yaml"
    (tmp_path / "rules.yaml").write_text(RULES.replace("above: 20", "above: 21"))
    await again.take_in(tmp_path)
    assert [(rule.version, rule.threshold) for rule in again.current] == [(3, 21)]


async def test_who_may_edit_rules(house: House) -> None:
    edits: list[tuple[str, str, Any]] = [
        ("POST", "/v1/rules", LEVEL),
        ("PUT", "/v1/rules/level", LEVEL | {"version": 9}),
        ("POST", "/v1/rules/gas/disable", {}),
        ("DELETE", "/v1/rules/none", None),
    ]
    for method, path, given in edits:
        for who in ("", "screen", "key", "viewer", "operator", "dispatcher", "admin"):
            status, _ = await house.call(method, path, given, who)
            if who == "admin":
                assert status not in (401, 403)
            else:
                assert status == (403 if who else 401), (method, path, who)
    for path in ("/v1/rules", "/v1/rules/gas", "/v1/rules/gas/versions"):
        assert (await house.call("GET", path, who="screen"))[0] == 200
