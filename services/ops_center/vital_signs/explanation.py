"""Where the points of a vital sign went: which sensors, how far outside, since when."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from services.ops_center.board import Board
from services.ops_center.vital_signs.answers import Contribution, Kind
from services.ops_center.vital_signs.index import Cause, Fault, Vital
from services.ops_center.vital_signs.records import Departure, Since
from services.ops_center.vital_signs.surveyor import Survey


class Past(Protocol):
    """See `records.Records`."""

    async def since(self, departures: Sequence[Departure], now: datetime) -> list[Since | None]:
        """Since when each is so; None: nothing of it is stored yet."""
        ...


async def contributions(
    survey: Survey, faults: Sequence[Fault], board: Board, past: Past
) -> list[Contribution]:
    """The faults in their order, each with its sensor and since when it has been so."""
    since = await _since(survey, faults, board, past)
    return [_told(survey, fault, at) for fault, at in zip(faults, since, strict=True)]


def by_metric(survey: Survey, vital: Vital) -> list[Kind]:
    """What each metric costs for each cause, what costs most first."""
    found: dict[tuple[str, Cause], tuple[int, float]] = {}
    for fault in vital.faults:
        key = survey.key(fault)[1], fault.cause
        count, points = found.get(key, (0, 0.0))
        found[key] = count + 1, points + fault.points
    metrics = survey.columns.registry.metrics
    kinds = [
        Kind(metric=code, name_zh=metrics[code].name_zh, name_en=metrics[code].name_en,
             cause=cause, sensors=count, points=round(points, 2))
        for (code, cause), (count, points) in found.items()
    ]  # fmt: skip
    return sorted(kinds, key=lambda kind: (-kind.points, kind.metric))


async def _since(
    survey: Survey, faults: Sequence[Fault], board: Board, past: Past
) -> list[Since | None]:
    """Of a value outside its range (or bad): by the readings; of silence: the last one; of an
    alarm about something else: when its incident was opened."""
    asked = [(place, survey.departure(fault)) for place, fault in enumerate(faults)]
    departures = [(place, one) for place, one in asked if one is not None]
    answers = await past.since([one for _, one in departures], survey.at)
    told = {place: answer for (place, _), answer in zip(departures, answers, strict=True)}
    return [
        told.get(place) or _without_readings(survey, fault, board)
        for place, fault in enumerate(faults)
    ]


def _without_readings(survey: Survey, fault: Fault, board: Board) -> Since | None:
    heard = survey.heard_at(fault)
    opened = board.alarmed_since(survey.key(fault)) if fault.cause == "alarm" else None
    at = opened if opened is not None and survey.outside_by(fault) is None else heard
    return None if at is None else Since(at)


def _told(survey: Survey, fault: Fault, since: Since | None) -> Contribution:
    columns = survey.columns
    registry = columns.registry
    number, code = registry.series[fault.series]
    sensor, metric = registry.sensors[number], registry.metrics[code]
    return Contribution(
        sensor_id=sensor.sensor_id,
        name=sensor.name,
        area_id=sensor.area_id,
        metric=code,
        name_zh=metric.name_zh,
        name_en=metric.name_en,
        unit=metric.unit,
        cause=fault.cause,
        state=columns.state[fault.series],
        value=columns.value[fault.series],
        normal=(metric.normal_low, metric.normal_high),
        outside_by=survey.outside_by(fault),
        since=since and since.at,
        at_least=since is not None and since.before,
        points=round(fault.points, 2),
    )
