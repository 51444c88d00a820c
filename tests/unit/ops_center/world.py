"""A world around a hub: a log, a database behind it, walls that come, stall and go."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from services.ops_center.board import Board
from services.ops_center.client import Client
from services.ops_center.hub import Hub
from services.ops_center.picture import Latest, Picture
from services.ops_center.protocol import ResyncReason, decode_token
from services.ops_center.registry import Registry
from shared.contracts.incident import Incident, IncidentState
from shared.contracts.live import ClientHello, Filter
from shared.contracts.reading import Reading
from tests.unit.ops_center.wall import HandClock, Line, Wall, event, registry, settle

PARTITIONS = 2


@dataclass
class World:
    """`rewind`: how many records of each partition a restarted picture reads again."""

    rewind: int = 3
    filter: Filter | None = None
    clock: HandClock = field(default_factory=HandClock)
    readings: list[list[Reading]] = field(default_factory=lambda: [[], []])
    events: list[bytes] = field(default_factory=list)
    outbox: list[bytes] = field(default_factory=list)
    incidents: dict[int, Incident] = field(default_factory=dict)
    walls: dict[str, Wall] = field(default_factory=dict)
    clients: dict[str, Client] = field(default_factory=dict)
    lines: dict[str, Line] = field(default_factory=dict)
    registry: Registry = field(default_factory=registry)

    def __post_init__(self) -> None:
        self.start(stored=(0, 0))

    def start(self, stored: tuple[int, int]) -> None:
        """A new process: loads what the database holds, reads the log from a little before."""
        for name in list(self.clients):
            self.leave(name)
        position = tuple(max(0, at - self.rewind) for at in stored)
        known = [one.model_dump_json().encode() for one in self.open_incidents()]
        board = Board(known, (max(0, len(self.events) - self.rewind),))
        self.picture = Picture(self.registry, self.database(stored), board, position, "log-1")
        self.hub = Hub(self.clock, 441200)
        self.follow()
        self.hub.show(self.picture, ResyncReason.RELOADED)

    def restage(self) -> None:
        """The registry was read anew, though it says the same."""
        self.picture = self.picture.with_registry(self.registry, {})
        self.hub.show(self.picture, ResyncReason.REGISTRY)

    def database(self, stored: tuple[int, int]) -> Mapping[tuple[str, str], Latest]:
        latest: dict[tuple[str, str], Latest] = {}
        for partition, end in enumerate(stored):
            for one in self.readings[partition][:end]:
                series = (one.sensor_id, one.metric)
                known = latest.get(series)
                if known is None or (one.observed_us, one.replace) >= (known.observed_us, True):
                    latest[series] = Latest(one.observed_us, one.value, one.quality == "bad")
        return latest

    def open_incidents(self) -> list[Incident]:
        return [one for one in self.incidents.values() if one.state != IncidentState.CLOSED]

    def follow(self) -> None:
        """Read the log to its end."""
        for partition, records in enumerate(self.readings):
            for offset in range(self.picture.position[partition], len(records)):
                self.picture.apply_readings(partition, offset, [records[offset]])
        for offset in range(self.picture.board.position[0], len(self.events)):
            self.picture.apply_incident(0, offset, self.events[offset])

    def post(self, item: Reading) -> None:
        """A sensor's readings always lie in one partition."""
        self.readings[len(item.sensor_id) % PARTITIONS].append(item)

    def step(self, number: int, made: Incident) -> None:
        """Committed in the database; its event is still in the outbox."""
        self.incidents[number] = made
        self.outbox.append(event(made))

    def relay(self) -> None:
        self.events += self.outbox
        self.outbox = []

    def join(self, name: str) -> Wall:
        """A new wall, or one that comes back with its newest token."""
        wall = self.walls.setdefault(name, Wall())
        self.lines[name] = Line(wall)
        self.clients[name] = self.hub.join(self.lines[name], ClientHello(wall.resume, self.filter))
        return wall

    def leave(self, name: str) -> None:
        client = self.clients.pop(name, None)
        if client is not None:
            self.lines[name].alive = False
            self.hub.leave(client)

    async def rest(self) -> None:
        """Everything that is under way arrives."""
        self.relay()
        self.follow()
        for wall in self.walls.values():
            wall.unblock()
        self.hub.tick()
        await settle()

    def missed(self, wall: Wall) -> set[tuple[str, int]]:
        """The events logged after the wall's last snapshot that it never got."""
        token = decode_token(wall.since or "")
        assert token is not None
        board = self.picture.board
        logged = [one for one in board.since(board.oldest) if one.offset >= token.incidents[0]]
        return {(str(one.incident.id), one.incident.version) for one in logged} - set(wall.events)
