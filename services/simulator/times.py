"""Times as recorded files write them → instants in UTC. Pure."""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Literal
from zoneinfo import ZoneInfo

RepeatedHour = Literal["order", "earlier", "later"]
_OFFSET = re.compile(r"([+-])(\d{2}):?(\d{2})")


class BadTime(ValueError):
    """A text that is no time of this file."""


def zone_of(name: str) -> tzinfo:
    """A fixed offset such as `-06:00`, or an IANA zone. ValueError for anything else."""
    found = _OFFSET.fullmatch(name)
    if found:
        sign, hours, minutes = found.groups()
        offset = timedelta(hours=int(hours), minutes=int(minutes))
        return timezone(-offset if sign == "-" else offset)
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        raise ValueError(
            f"'{name}' is neither a fixed offset such as -06:00 nor an IANA time zone"
        ) from None


class Times:
    """Reads one column of times.

    `form`: `iso`, `epoch_s`, `epoch_ms` or a strptime format. A time that carries an offset keeps
    it; any other is in `zone`, None if the file has none. `elapsed`: the time of day counts hours
    gone by since local midnight, not what a clock showed (they differ when clocks change).
    `repeated_hour`: which of the two a clock's repeated time is; `order`: the first time it comes
    up for a sensor the earlier one, then the later.
    """

    def __init__(
        self,
        form: str,
        zone: tzinfo | None,
        elapsed: bool = False,
        repeated_hour: RepeatedHour = "order",
    ) -> None:
        self._form = form
        self._zone = zone
        self._elapsed = elapsed
        self._repeated_hour = repeated_hour
        self._seen: set[tuple[str, datetime]] = set()
        self._last_text = ""
        self._last_plain: datetime | None = None

    def instant(self, text: str, sensor: str = "") -> datetime:
        """The instant, in UTC. Raises `BadTime`."""
        plain = self._plain(text)
        if plain.tzinfo is not None:
            return plain.astimezone(UTC)
        if self._zone is None:
            raise BadTime(f"'{text}' has no offset, and the mapping names no zone")
        if self._elapsed:
            midnight = plain.replace(hour=0, minute=0, second=0, microsecond=0)
            return midnight.replace(tzinfo=self._zone).astimezone(UTC) + (plain - midnight)
        return self._by_the_clock(plain, self._zone, sensor)

    def _plain(self, text: str) -> datetime:
        if text != self._last_text or self._last_plain is None:
            self._last_text, self._last_plain = text, self._parsed(text)
        return self._last_plain

    def _parsed(self, text: str) -> datetime:
        try:
            match self._form:
                case "iso":
                    return datetime.fromisoformat(text)
                case "epoch_s":
                    return datetime.fromtimestamp(float(text), UTC)
                case "epoch_ms":
                    return datetime.fromtimestamp(float(text) / 1000, UTC)
                case _:
                    return datetime.strptime(text, self._form)  # noqa: DTZ007
        except (ValueError, OverflowError, OSError):
            raise BadTime(f"'{text}' is no time of the form '{self._form}'") from None

    def _by_the_clock(self, plain: datetime, zone: tzinfo, sensor: str) -> datetime:
        first = plain.replace(tzinfo=zone, fold=0)
        second = plain.replace(tzinfo=zone, fold=1)
        if first.utcoffset() == second.utcoffset():
            return first.astimezone(UTC)
        if first.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != plain:
            raise BadTime(f"{plain} never was: the clocks of {zone} skipped it")
        return (second if self._is_later(plain, sensor) else first).astimezone(UTC)

    def _is_later(self, plain: datetime, sensor: str) -> bool:
        if self._repeated_hour != "order":
            return self._repeated_hour == "later"
        if (sensor, plain) in self._seen:
            return True
        self._seen.add((sensor, plain))
        return False
