"""The examples of docs/people.md work as they stand there, one after the other."""

import json
import re
import shlex
from pathlib import Path

from sqlalchemy import insert

from shared.store.tables import departments, metrics
from tests.integration.ops_center.conftest import Centre

DOCS = Path(__file__).parents[3] / "docs" / "people.md"
BLOCK = re.compile(r"```sh[ \d]*\n(.*?)```", re.S)


def requests(token: str) -> list[tuple[str, str, bytes | None]]:
    """(method, path, body) of every `curl` that carries the token."""
    found = []
    for block in BLOCK.findall(DOCS.read_text(encoding="utf-8")):
        for line in block.replace("\\\n", " ").splitlines():
            if not line.startswith("curl"):
                continue
            words = shlex.split(line.replace("$TOKEN", token))
            path = next(one for one in words if one.startswith("$CITY")).removeprefix("$CITY")
            method = words[words.index("-X") + 1] if "-X" in words else "GET"
            body = words[words.index("-d") + 1].encode() if "-d" in words else None
            assert f"Authorization: Bearer {token}" in words
            found.append((method, path, body))
    return found


async def test_the_examples_are_answered(centre: Centre) -> None:
    air = {"metric": "air.pm25", "domain": "environment", "unit": "µg/m³", "name_zh": "",
           "name_en": "", "interval_seconds": 60}  # fmt: skip
    async with centre.engine.begin() as connection:
        await connection.execute(insert(metrics), air)
        gas = {"name": "燃气公司", "name_en": "Gas Company", "changed_by": "test"}
        await connection.execute(insert(departments), gas)
    username, password = centre.login
    async with centre.http() as http:
        given = {"username": username, "password": password}
        token = (await http.post("/v1/session", json=given)).json()["token"]
    examples = requests(token)
    assert len(examples) == 13
    async with centre.http(token) as http:
        kind = {"Content-Type": "application/json"}
        for method, path, body in examples:
            answer = await http.request(method, path, content=body, headers=kind if body else {})
            assert answer.is_success, (method, path, answer.text)
            if path.startswith("/v1/audit"):
                assert answer.json()["items"], path
                assert json.loads(answer.text)["items"][0]["request_id"]
