"""Whether a reading may enter: a pure decision on one item."""

from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from services.ingest.border.decode import Refusal, Wire, spelling
from services.ingest.registry.lookup import Entry, Registry
from shared.clock import to_micros
from shared.contracts.reading import ItemCode
from shared.web.identity import Restrictions

MAX_AHEAD_US = 5 * 60 * 1_000_000
_CHINESE_OFFSETS = (8, 16)  # hours that a wrong offset puts a Chinese reading ahead
# Even a backfill has a limit, far before any sensor: what claims to be older is a broken clock.
EARLIEST_US = to_micros(datetime(1900, 1, 1, tzinfo=UTC))
_DAY_US = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Rights:
    """What a source may do beyond posting: old readings, and superseding stored ones; and what
    it is confined to, if it is."""

    backfill: bool = False
    correct: bool = False
    restrictions: Restrictions | None = None


class Admitted(msgspec.Struct, frozen=True, gc=False):
    """An item that may enter: where it goes and its time."""

    partition: int
    observed_us: int


def judge(wire: Wire, registry: Registry, rights: Rights, now_us: int) -> Admitted | Refusal:
    """Admit `wire` or say why not. `now_us`: the time of judgement."""
    entry = registry.sensors.get(wire.sensor_id)
    if entry is None or entry.retired:
        return spelling(wire) or _unknown_sensor(entry is not None)
    channel = entry.channels.get(wire.metric)
    if channel is None:
        return spelling(wire) or _unknown_metric(registry.knows_metric(wire.metric))
    if rights.restrictions is not None:
        refusal = outside(rights.restrictions, entry, wire.metric, channel.domain)
        if refusal is not None:
            return refusal
    if not channel.minimum <= wire.value <= channel.maximum:
        return _out_of_range(channel.minimum, channel.maximum)
    if wire.replace and not rights.correct:
        return Refusal(
            "/replace", ItemCode.FORBIDDEN, "superseding a value needs the scope 'correct'"
        )
    observed_us = to_micros(wire.observed_at)
    if observed_us > now_us + MAX_AHEAD_US:
        return _in_future(observed_us - now_us)
    if observed_us < now_us - channel.max_age_us:
        if not rights.backfill:
            return _too_old(channel.max_age_us // 1_000_000)
        kept_us = registry.kept_us.get(wire.metric)
        if kept_us is not None and observed_us < now_us - kept_us:
            return _not_kept(kept_us // _DAY_US)
        if observed_us < EARLIEST_US:
            return Refusal("/observed_at", ItemCode.TOO_OLD, "before the year 1900")
    return Admitted(entry.partition, observed_us)


def outside(allowed: Restrictions, entry: Entry, metric: str, domain: str) -> Refusal | None:
    """What of a reading lies outside of what its key is confined to."""
    if allowed.metrics and metric not in allowed.metrics:
        detail = f"this key may not post the metric {metric}"
        return Refusal("/metric", ItemCode.FORBIDDEN, detail)
    if allowed.domains and domain not in allowed.domains:
        detail = f"this key may not post metrics of the domain {domain}"
        return Refusal("/metric", ItemCode.FORBIDDEN, detail)
    if allowed.areas and allowed.areas.isdisjoint(entry.places):
        detail = "this key may not post for a sensor in this area"
        return Refusal("/sensor_id", ItemCode.FORBIDDEN, detail)
    return None


def _unknown_sensor(retired: bool) -> Refusal:
    detail = "this sensor is retired" if retired else "no sensor of this id is registered"
    return Refusal("/sensor_id", ItemCode.UNKNOWN_SENSOR, detail)


def _unknown_metric(in_catalogue: bool) -> Refusal:
    if in_catalogue:
        return Refusal(
            "/metric", ItemCode.UNKNOWN_METRIC, "this sensor is not registered with this metric"
        )
    return Refusal("/metric", ItemCode.UNKNOWN_METRIC, "no metric of this code in the catalogue")


def _out_of_range(minimum: float, maximum: float) -> Refusal:
    detail = f"outside the metric's plausible range [{minimum:g}, {maximum:g}]"
    return Refusal("/value", ItemCode.OUT_OF_RANGE, detail)


def _in_future(ahead_us: int) -> Refusal:
    """A clock that runs ahead, or Chinese time called UTC: 8 hours, or 16 where it was turned
    the wrong way."""
    minutes = round(ahead_us / 60_000_000)
    hours, rest = divmod(minutes, 60)
    shown = f"{hours} h {rest} min" if rest and hours < 48 else f"{hours} h"
    detail = f"{shown if hours else f'{minutes} min'} ahead; at most 5 minutes are taken"
    offset = round(minutes / 60)
    if offset in _CHINESE_OFFSETS and abs(minutes - offset * 60) <= MAX_AHEAD_US // 60_000_000:
        detail += ": is Chinese time marked as UTC? Its offset is +08:00"
    return Refusal("/observed_at", ItemCode.IN_FUTURE, detail)


def _not_kept(days: int) -> Refusal:
    detail = f"readings of this metric are kept for {days} days only"
    return Refusal("/observed_at", ItemCode.TOO_OLD, detail)


def _too_old(max_age_seconds: int) -> Refusal:
    detail = f"older than {max_age_seconds} s; older readings need the scope 'backfill'"
    return Refusal("/observed_at", ItemCode.TOO_OLD, detail)
