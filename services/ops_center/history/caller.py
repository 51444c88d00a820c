"""Who asks for the past, and what he may be told of it: questions are narrowed to it before they
are asked, tables are disclosed on their way out, rows are counted and paced."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import Depends, Request

from services.ops_center.history.question import (
    AreasQuestion,
    ExportQuestion,
    MomentQuestion,
    Question,
    Selection,
    SeriesQuestion,
)
from services.ops_center.history.span import Span
from services.ops_center.history.table import Row, Table
from shared.disclosure.clearance import Clearance
from shared.disclosure.coarse import RESOLUTIONS, place
from shared.disclosure.declaration import Dataset, Declaration
from shared.disclosure.disclose import (
    AS_IT_IS,
    Columns,
    cleared,
    columns,
    disclosed,
    discloses_metric,
    treatment,
)
from shared.web.accesses import Accesses
from shared.web.auth import require_role
from shared.web.clearances import clearance_of
from shared.web.disclosing import accessed_level, disclosed_already, not_granted
from shared.web.endings import Endings
from shared.web.identity import Identity
from shared.web.problems import Problem

READINGS = "readings"
Viewer = Annotated[Identity, Depends(require_role("viewer"))]


@dataclass(frozen=True)
class Caller:
    """`count`: is told of rows that are sent."""

    who: Identity
    clearance: Clearance
    declaration: Declaration
    endings: Endings
    count: Callable[[int], None]

    @property
    def dataset(self) -> Dataset:
        """What is asked for."""
        return self.declaration.datasets[READINGS]

    def watched(self) -> AbstractContextManager[asyncio.Event]:
        """An event that is set when the caller's key ends."""
        return self.endings.watched(self.who.key_id)

    def narrowed(self, question: Question) -> Question:
        """What of the question may be answered. `Problem` 403: nothing."""
        match question:
            case SeriesQuestion():
                self._refuse_metric(question.metric)
                span = self._span(question.span)
                exact = self.clearance.since is not None
                return replace(question, span=span, within=self._areas, exact=exact)
            case AreasQuestion():
                self._refuse_metric(question.metric)
                span = self._span(question.span)
                exact = self.clearance.since is not None
                return replace(question, span=span, area_ids=self._asked(question), exact=exact)
            case MomentQuestion():
                if not self.clearance.covers(question.at):
                    raise not_granted("this moment")
                selection = self._selection(question.selection)
                return replace(question, selection=selection, since=self.clearance.since)
            case ExportQuestion():
                selection = self._selection(question.selection)
                return replace(question, selection=selection, span=self._span(question.span))

    def told(self, table: Table) -> Table:
        """The table as the caller may see it, its rows counted."""
        if cleared(self.declaration, self.dataset, self.clearance):
            return replace(table, pages=self._counted(table.pages))
        names = [column.name for column in table.columns]
        plan = columns(self.declaration, self.dataset, names, self.clearance)
        kept = set(plan.kept)
        return replace(
            table,
            meta=disclosed(self.declaration, self.dataset, table.meta, self.clearance) or {},
            columns=[column for column in table.columns if column.name in kept],
            pages=self._counted(self._pages(table.pages, names, plan)),
            constants={n: v for n, v in table.constants.items() if self._treated(n) == AS_IT_IS},
            place=self._place(table.place),
        )

    def _pages(
        self, pages: AsyncGenerator[Sequence[Row], None], names: Sequence[str], plan: Columns
    ) -> AsyncGenerator[Sequence[Row], None]:
        metric = names.index("metric") if "metric" in names else None
        tells: dict[str, bool] = {}

        def told(row: Row) -> bool:
            code = row[metric] if metric is not None else ""
            if code not in tells:
                tells[code] = discloses_metric(self.declaration, code, self.clearance)
            return tells[code]

        async def made() -> AsyncGenerator[Sequence[Row], None]:
            async for page in pages:
                rows = page if metric is None else [row for row in page if told(row)]
                batch = dict(zip(names, zip(*rows, strict=True), strict=True)) if rows else {}
                yield list(zip(*plan.batch(batch).values(), strict=True)) if rows else []

        return made()

    async def _counted(
        self, pages: AsyncGenerator[Sequence[Row], None]
    ) -> AsyncGenerator[Sequence[Row], None]:
        async for page in pages:
            self.count(len(page))
            yield page

    def _treated(self, name: str) -> str:
        return treatment(self.dataset, self.dataset.field(name), self.clearance)

    def _place(self, where: tuple[float, float] | None) -> tuple[float, float] | None:
        what = self._treated("lon")
        if where is None or what == AS_IT_IS:
            return where
        return place(*where, what) if what in RESOLUTIONS else None

    def _selection(self, asked: Selection) -> Selection:
        lent, metrics = self.clearance.metrics, asked.metrics
        if lent:
            metrics = tuple(code for code in metrics if code in lent) if metrics else tuple(lent)
        told = tuple(c for c in metrics if discloses_metric(self.declaration, c, self.clearance))
        if (asked.metrics or lent) and not told:
            raise not_granted("these metrics")
        return replace(asked, metrics=told, within=self._areas)

    def _span(self, asked: Span) -> Span:
        start, end = self.clearance.confined(asked.start, asked.end)
        if start >= end and (self.clearance.since, self.clearance.until) != (None, None):
            raise not_granted("this time")
        return Span(start, end)

    @property
    def _areas(self) -> tuple[str, ...]:
        return tuple(sorted(self.clearance.areas))

    def _asked(self, question: AreasQuestion) -> tuple[str, ...]:
        lent = self.clearance.areas
        if lent and not lent.issuperset(question.area_ids):
            raise not_granted("these areas")
        return question.area_ids or self._areas

    def _refuse_metric(self, code: str) -> None:
        if not discloses_metric(self.declaration, code, self.clearance):
            raise Problem(403, "Forbidden", f"You are not cleared for {code}.", code="level")


def caller(request: Request, who: Viewer) -> Caller:
    """A dependency: who asks. That he is told of readings is noted; the answer is left alone by
    whoever discloses the others."""
    state = request.app.state
    declaration: Declaration = state.disclosure
    accesses: Accesses = state.accesses
    clearance = clearance_of(declaration, who)
    level = accessed_level(declaration, READINGS, clearance)
    accesses.note(who, READINGS, level)
    disclosed_already(request.scope)
    return Caller(
        who, clearance, declaration, state.endings, accesses.counter(who, READINGS, level)
    )


Asking = Annotated[Caller, Depends(caller)]
