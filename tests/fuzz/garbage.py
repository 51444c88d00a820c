"""Records of `city.inbox` with something wrong in them."""

import random
from collections.abc import Iterator

from shared.contracts.topics import INBOX
from shared.eventlog.log import Outgoing
from tests.fuzz.payloads import CODINGS, DOORS, TYPES, damage, packed

READINGS = tuple(door for door in DOORS if door.path == b"/v1/readings")


def records(chance: random.Random, key: bytes) -> Iterator[Outgoing]:
    """Without end. `key`: one that may post."""
    while True:
        door = chance.choice(READINGS)
        value, headers = damage(chance, door.body), []
        dice = chance.random()
        if dice < 0.3:
            headers.append(("content-type", chance.choice(TYPES)))
        elif dice < 0.5:
            coding, value = packed(chance, value)
            headers.append(("content-encoding", coding))
        elif dice < 0.6:
            headers.append(("yiwang-key", chance.choice((key, b"", b"\xff\xfe", key[:-1]))))
        elif dice < 0.7:
            names, values = (
                ("ce_specversion", "ce_time", "CE_ID", "", "水"),
                (*CODINGS, b"1.0", b"%ff"),
            )
            headers += [(chance.choice(names), chance.choice(values)) for _ in range(3)]
        yield Outgoing(INBOX, chance.choice(("gauge-1", "", "水" * 50)), value, tuple(headers))
