"""A question's statements side by side: in order, so many at once, and none left behind."""

import asyncio
from contextlib import aclosing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ops_center.history.lanes import Lanes
from services.ops_center.history.scope import Members


class Database:
    """Answers a piece when it is let; knows what is under way."""

    def __init__(self) -> None:
        self.under_way: set[int] = set()
        self.let: dict[int, asyncio.Event] = {}

    async def ask(self, piece: int) -> int:
        self.under_way.add(piece)
        try:
            await self.let.setdefault(piece, asyncio.Event()).wait()
            if piece < 0:
                raise ValueError(piece)
            return 10 * piece
        finally:
            self.under_way.discard(piece)

    def answer(self, *pieces: int) -> None:
        for piece in pieces:
            self.let.setdefault(piece, asyncio.Event()).set()

    async def busy_with(self, *pieces: int) -> None:
        """Until nothing moves any more; then it must be these."""
        for _ in range(50):
            await asyncio.sleep(0)
        assert self.under_way == set(pieces)


async def test_answers_come_in_the_order_of_the_pieces_however_they_end() -> None:
    database = Database()
    taken = asyncio.create_task(_all(Lanes(2), database, range(4)))
    await database.busy_with(0, 1)
    database.answer(1)
    await database.busy_with(0)  # the second one's answer waits for the first one's
    database.answer(0, 3)
    await database.busy_with(2)
    database.answer(2)
    assert await taken == [0, 10, 20, 30]


async def test_the_lanes_are_for_all_questions_together() -> None:
    database, lanes = Database(), Lanes(2)
    one = asyncio.create_task(_all(lanes, database, (1, 2, 3)))
    await database.busy_with(1, 2)
    other = asyncio.create_task(_all(lanes, database, (7, 8)))
    await database.busy_with(1, 2)
    database.answer(1)
    await database.busy_with(2, 7)
    database.answer(2, 3, 7, 8)
    assert (await one, await other) == ([10, 20, 30], [70, 80])


async def test_a_piece_that_fails_ends_those_under_way() -> None:
    database, lanes = Database(), Lanes(3)
    taken = asyncio.create_task(_all(lanes, database, (-1, 2, 3)))
    await database.busy_with(-1, 2, 3)
    database.answer(-1)
    with pytest.raises(ValueError, match="-1"):
        await taken
    await database.busy_with()
    database.answer(5)
    assert await _all(lanes, database, (5,)) == [50]


async def test_who_has_enough_leaves_nothing_under_way() -> None:
    database, lanes = Database(), Lanes(2)
    database.answer(1)
    async with aclosing(lanes.in_order(database.ask, (1, 2, 3))) as answers:
        assert await anext(answers) == 10
    await database.busy_with()


async def _all(lanes: Lanes, database: Database, pieces: "range | tuple[int, ...]") -> list[int]:
    async with aclosing(lanes.in_order(database.ask, pieces)) as answers:
        return [answer async for answer in answers]


@given(st.lists(st.integers(1, 50), max_size=12), st.integers(1, 6))
def test_parts_of_members_are_all_of_them_with_whole_areas(sizes: list[int], most: int) -> None:
    places = [area for area, size in enumerate(sizes) for _ in range(size)]
    whole = Members([], [f"s{n}" for n in range(len(places))], places)
    parts = whole.parts(most)
    assert len(parts) <= most
    assert [s for part in parts for s in part.sensor_ids] == whole.sensor_ids
    assert [p for part in parts for p in part.places] == places
    areas = [set(part.places) for part in parts]
    assert sum(map(len, areas)) == len(set(places))
    fair = len(places) / most + max(sizes, default=0)
    assert all(len(part.places) <= fair for part in parts)
