"""Which screens sit together: those of the same sight share their frames."""

from collections.abc import Iterator

import msgspec

from services.ops_center.client import Client, Frame, Wish
from services.ops_center.metrics import CLIENTS
from services.ops_center.picture import Picture
from services.ops_center.protocol import TRY_AGAIN, Refusal, canonical, filter_key
from services.ops_center.stage import Group
from services.ops_center.view import View, refuse_unknown

MAX_CLIENTS = 2_000
MAX_FILTERS = 128


class Seating:
    """Bounded: screens, and how many different things they see."""

    def __init__(self) -> None:
        self._groups: dict[str, Group] = {}
        self._homes: dict[Client, Group] = {}

    def __len__(self) -> int:
        return len(self._homes)

    def __iter__(self) -> Iterator[Group]:
        """The groups; screens may come and go meanwhile."""
        return iter(list(self._groups.values()))

    def clients(self) -> list[Client]:
        """Every screen."""
        return list(self._homes)

    def tell(self, kind: str, frame: Frame) -> list[Client]:
        """Put news in waiting for every screen; all of them."""
        clients = self.clients()
        for client in clients:
            client.news[kind] = frame
        return clients

    def home(self, client: Client) -> Group | None:
        """Where a screen sits; None: it has left."""
        return self._homes.get(client)

    def outdate(self) -> None:
        """Another picture is on stage: every view must be made anew before it is used."""
        for group in self._groups.values():
            group.outdated = True

    def group(self, picture: Picture, wish: Wish) -> Group:
        """Those who see the same. Where too many different things are seen already, a screen that
        looks at a part of the map gets all of it. Raises `Refusal`."""
        refuse_unknown(wish.filter, picture.registry)
        sight = canonical(wish.filter, wish.rights, wish.telling)
        full = len(self._groups) >= MAX_FILTERS
        if full and filter_key(sight) not in self._groups:
            sight = msgspec.structs.replace(sight, bbox=None)
        known = self._groups.get(filter_key(sight))
        if known is not None:
            known.refresh(picture)
            return known
        if full:
            raise Refusal(TRY_AGAIN, "too many different filters")
        return Group(View(sight, picture.registry, wish.telling))

    def check_room(self) -> None:
        """Raises `Refusal` when every seat is taken."""
        if len(self._homes) >= MAX_CLIENTS:
            raise Refusal(TRY_AGAIN, "too many screens")

    def seat(self, client: Client, group: Group) -> None:
        """From now on it sits here, and nowhere else."""
        self.leave(client)
        self._groups.setdefault(group.view.key, group)
        group.clients.add(client)
        self._homes[client] = group
        CLIENTS.set(len(self._homes))

    def leave(self, client: Client) -> bool:
        """False if it had left before."""
        group = self._homes.pop(client, None)
        if group is None:
            return False
        group.clients.discard(client)
        if not group.clients:
            self._groups.pop(group.view.key, None)
        CLIENTS.set(len(self._homes))
        return True
