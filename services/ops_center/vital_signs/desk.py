"""Puts surveys of the present and kept steps of the past together."""

from datetime import datetime
from typing import Any

from services.ops_center.history.span import bucket_seconds, moment_of, span_of
from services.ops_center.registry import Registry
from services.ops_center.vital_signs import answers
from services.ops_center.vital_signs.explanation import by_metric, contributions
from services.ops_center.vital_signs.records import KEPT, STEP_SECONDS, Records
from services.ops_center.vital_signs.surveyor import Surveyor
from shared.clock import Clock
from shared.contracts.live import CityDomain


class Desk:
    """Raises `BadParameter` for unknown areas, and `Unavailable`. `city`: asked for by default."""

    def __init__(self, surveyor: Surveyor, records: Records, clock: Clock, city: str) -> None:
        self._surveyor = surveyor
        self._records = records
        self._clock = clock
        self._city = city

    async def signs(
        self, area_id: str | None, domain: str | None, at: str | None
    ) -> answers.VitalSigns:
        """Of one area or all, one domain or all."""
        registry = self._surveyor.picture.registry
        if area_id is not None:
            answers.refuse_unknown(area_id, registry)
        moment = None if at is None else moment_of("at", at)
        if moment is None:
            survey = await self._surveyor.survey()
            then = await self._then(survey.at)
            found = [answers.live(one, survey.columns.registry, then) for one in survey.vitals]
            moment = survey.at
        else:
            then = await self._then(moment)
            steps = await self._records.at([moment])
            found = [
                answers.kept(step, registry, then)
                for (_, area, _), step in steps.items()
                if area in registry.areas
            ]
            found.sort(key=lambda one: (one.parent_id or "", one.area_id))
        wanted = [
            one for one in found if area_id in (None, one.area_id) and domain in (None, one.domain)
        ]
        return answers.VitalSigns(at=moment, items=wanted)

    async def explained(
        self, domain: CityDomain, area_id: str | None, limit: int
    ) -> answers.Explanation:
        """With at most `limit` sensors."""
        survey = await self._surveyor.survey()
        registry = survey.columns.registry
        vital = survey.vital(self._area(area_id, registry), domain)
        assert vital is not None  # every area has every domain
        told = answers.live(vital, registry, await self._then(survey.at))
        board = self._surveyor.picture.board
        shown = await contributions(survey, vital.faults[:limit], board, self._records)
        return answers.Explanation(
            **dict(told), at=survey.at, by_metric=by_metric(survey, vital), contributions=shown,
            more=len(vital.faults) - len(shown),
        )  # fmt: skip

    async def past(
        self,
        domain: CityDomain,
        area_id: str | None,
        ends: tuple[str | None, str | None],
        points: int,
    ) -> answers.Past:
        """Of one area's domain."""
        area = self._area(area_id, self._surveyor.picture.registry)
        span = span_of(*ends, self._clock())
        seconds = bucket_seconds(span, points, STEP_SECONDS)
        rows = await self._records.history(area, domain, span.start, span.end, seconds)
        items = [_moment(row) for row in rows]
        return answers.Past(
            area_id=area, domain=domain, resolution_seconds=seconds, kept_days=KEPT.days,
            items=items,
        )  # fmt: skip

    async def _then(self, now: datetime) -> answers.Then:
        """What was kept of the same time yesterday and a week ago."""
        yesterday, last_week = now - answers.DAY, now - answers.WEEK
        steps = await self._records.at([yesterday, last_week])

        def of(area_id: str, domain: str) -> tuple[answers.Step | None, answers.Step | None]:
            one, other = (steps.get((then, area_id, domain)) for then in (yesterday, last_week))
            return one, other

        return of

    def _area(self, area_id: str | None, registry: Registry) -> str:
        area = self._city if area_id is None else area_id
        answers.refuse_unknown(area, registry)
        return area


def _moment(row: Any) -> answers.Moment:
    return answers.Moment(
        at=row.start, index=answers.rounded(row.score), lowest=answers.rounded(row.lowest),
        heard=round(row.heard, 3), counted=row.counted, alarm=row.alarm, outside=row.outside,
        silent=row.silent, bad=row.bad,
    )  # fmt: skip
