"""Every route, asked by everybody: only those whom the table names are let in."""

from tests.integration.access.city import City
from tests.integration.access.table import ACTORS, WHO, table

REFUSED = (401, 403, 4401, 4403)
ENDS_THE_SESSION = ("DELETE", "/v1/session")


async def test_the_table_names_every_route_and_no_other(everything: City) -> None:
    assert sorted(table()) == everything.routes


async def test_every_cell(everything: City) -> None:
    wrong = []
    asked = sorted(table().items(), key=lambda row: row[0] == ENDS_THE_SESSION)
    for (method, path), who in asked:
        for actor in ACTORS:
            status = await everything.ask(method, path, actor)
            if (status in REFUSED) != (actor not in WHO[who]):
                wrong.append(f"{method} {path} is for {who}; {actor} got {status}")
            if method != "WS" and (status == 401) and actor != "nobody":
                wrong.append(f"{method} {path}: {actor} is known, but got {status}")
            if 500 <= status < 1_000 and status != 503:
                wrong.append(f"{method} {path}: {actor} got {status}")
    assert not wrong, "\n".join(wrong)
    assert len(asked) * len(ACTORS) > 1_000
