"""`GET /v1/history`: what was, for screens and for other departments."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Annotated, Protocol

from fastapi import APIRouter, Header, Query
from starlette.responses import Response

from services.ops_center.history import accept
from services.ops_center.history.caller import Asking, Caller
from services.ops_center.history.examples import RESPONSES
from services.ops_center.history.forms import EXTENSIONS, written
from services.ops_center.history.question import (
    AreasQuestion,
    Asked,
    ExportQuestion,
    MomentQuestion,
    Question,
    SeriesQuestion,
    question_of,
)
from services.ops_center.history.span import BadParameter
from services.ops_center.history.stream import Slots, Stream, begun
from services.ops_center.history.table import Row, Table
from shared.clock import Clock
from shared.web.paces import Paces
from shared.web.problems import Problem, invalid

MOST_EXPORTS, MOST_SURVEYS, MOST_LENT = 4, 8, 16


class Archive(Protocol):
    """The stored readings as this edge needs them. All raise `BadParameter`."""

    async def series(self, asked: SeriesQuestion) -> Table:
        """One series over a span."""
        ...

    async def areas(self, asked: AreasQuestion) -> Table:
        """One metric by areas."""
        ...

    async def moment(self, asked: MomentQuestion) -> Table:
        """The city at a past moment."""
        ...

    async def export(self, asked: ExportQuestion) -> Table:
        """Every reading of some series."""
        ...


class Desk:
    """Takes questions, as many at once as there are slots for their kind."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self.exports = Slots(MOST_EXPORTS, "raw exports")
        self.surveys = Slots(MOST_SURVEYS, "questions about the whole city")
        self.lent = Slots(MOST_LENT, "exports of lent data")  # they may be slow: paced
        self._paces = Paces()

    async def answer(self, question: Question, accepted: str, caller: Caller) -> Response:
        """Raises `Problem`, `Overloaded`."""
        question = caller.narrowed(question)
        offered = _offered(question)
        media_type = accept.best(accepted, offered)
        if media_type is None:
            raise _not_acceptable(offered)
        give = self._take(question, caller)
        try:
            with as_problems():
                table = self._paced(caller.told(await self._table(question)), caller)
                parts = await begun(written(table, media_type))
        except BaseException:
            give()
            raise
        name = f'attachment; filename="history.{EXTENSIONS[media_type]}"'
        headers = {"Vary": "Accept"}
        if media_type in (accept.CSV, accept.PARQUET):
            headers["Content-Disposition"] = name
        return Stream(parts, media_type, headers, give, caller.watched)

    def _paced(self, table: Table, caller: Caller) -> Table:
        lent = caller.who.lent
        if lent is None or not lent.rows_per_second:
            return table
        key_id, rate = caller.who.key_id, lent.rows_per_second

        async def pages() -> AsyncGenerator[Sequence[Row], None]:
            step = max(1, int(rate))
            async for page in table.pages:
                for at in range(0, len(page), step):
                    part = page[at : at + step]
                    await self._paces.take(key_id, len(part), rate)
                    yield part

        return replace(table, pages=pages())

    def _take(self, question: Question, caller: Caller) -> Callable[[], None]:
        match question:
            case SeriesQuestion():
                return lambda: None
            case ExportQuestion():
                return (self.exports if caller.who.lent is None else self.lent).take()
            case _:
                return self.surveys.take()

    def _table(self, question: Question) -> Awaitable[Table]:
        match question:
            case SeriesQuestion():
                return self._archive.series(question)
            case AreasQuestion():
                return self._archive.areas(question)
            case MomentQuestion():
                return self._archive.moment(question)
            case ExportQuestion():
                return self._archive.export(question)


def history_router(archive: Archive, clock: Clock) -> APIRouter:
    """Also for sensors that have no place in the picture."""
    router = APIRouter(tags=["history"])
    desk = Desk(archive)

    @router.get("/v1/history", summary="What was read in the past", responses=RESPONSES)
    async def history(
        caller: Asking,
        asked: Annotated[Asked, Query()],
        accepted: Annotated[str, Header(alias="Accept", include_in_schema=False)] = "*/*",
    ) -> Response:
        """Four questions, told apart by their parameters:

        * **One series**: `sensor_id`, `metric`, `from`, `to`, `points`. Every reading if there are
          at most `points`, else buckets of `resolution_seconds` with mean, min, max, count and
          last: a spike is in its bucket's `max`.
        * **By area**: `group_by=district` (or another level), `metric`, `from`, `to`, `points`;
          `area_id` narrows it.
        * **The whole city at a past moment**: `at`; `area_id`, `domain`, `metric` and `sensor_id`
          narrow it. A series that was silent for `silent_after_seconds` has no value.
        * **Every reading**: `resolution=raw` with any of `sensor_id`, `metric`, `area_id`,
          `domain`, `from`, `to`; streamed, however many there are.

        The header `Accept` chooses the form. Where nothing was read there is no item; nothing is
        interpolated. Buckets start at midnight, Chinese time, and are judged by their trustworthy
        readings as long as they have any (`bad` counts the others). Late readings reach wide
        buckets some seconds after they are stored."""
        with as_problems():
            question = question_of(asked, clock())
        return await desk.answer(question, accepted, caller)

    return router


@contextmanager
def as_problems() -> Iterator[None]:
    """What is wrong with a parameter becomes an answer."""
    try:
        yield
    except BadParameter as error:
        raise problem_of(error) from None


def problem_of(error: BadParameter) -> Problem:
    """404 for a sensor that there is not, else 422."""
    if error.code == "unknown_sensor":
        return Problem(404, "Not found", f"{error.detail}.", code=error.code)
    return invalid([(f"/query/{error.name}", error.detail, error.code)])


def _offered(question: Question) -> tuple[str, ...]:
    if isinstance(question, AreasQuestion):
        return tuple(each for each in accept.OFFERED if each != accept.GEOJSON)
    return accept.OFFERED


def _not_acceptable(offered: tuple[str, ...]) -> Problem:
    detail = f"This can be had as {', '.join(offered)}."
    return Problem(406, "Not acceptable", detail, code="not_acceptable", offered=list(offered))
