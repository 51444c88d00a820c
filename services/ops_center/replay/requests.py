"""What a client asks of a replay. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from services.ops_center.history.span import BadParameter, moment_of
from services.ops_center.protocol import BAD_FRAME, MAX_FRAME_CHARACTERS, Refusal, check_filter
from shared.contracts.live import Filter
from shared.contracts.replay import ReplayHello, ReplayPing, Speed, Steer

LONGEST_STEP = timedelta(minutes=10)

_Frame = ReplayHello | Steer | ReplayPing
_decoder: msgspec.json.Decoder[_Frame] = msgspec.json.Decoder(_Frame)


@dataclass(frozen=True, slots=True)
class Wish:
    """A whole replay: from `start` to `end`, at a speed, of what a filter shows."""

    start: datetime
    end: datetime
    speed: Speed
    playing: bool
    filter: Filter | None


@dataclass(frozen=True, slots=True)
class Change:
    """A change of a replay under way; None: as it is."""

    playing: bool | None = None
    speed: Speed | None = None
    at: datetime | None = None
    step: timedelta | None = None

    def then(self, later: "Change") -> "Change":
        """Both, where nobody has acted upon the first yet."""
        return Change(
            self.playing if later.playing is None else later.playing,
            later.speed or self.speed,
            later.at or self.at,
            None if later.at is not None else later.step or self.step,
        )


def wish_of(text: str | bytes | None, now: datetime) -> Wish:
    """The first message. Raises `Refusal` with what is wrong."""
    frame = _decode(text)
    if not isinstance(frame, ReplayHello):
        raise Refusal(BAD_FRAME, "the first frame must be hello")
    start = _moment("from", frame.from_)
    end = min(now, now if frame.to is None else _moment("to", frame.to))
    if start >= end:
        raise Refusal(BAD_FRAME, "'from' must lie in the past, and before 'to'")
    if frame.filter is not None:
        check_filter(frame.filter)
    return Wish(start, end, frame.speed, frame.playing, frame.filter)


def change_of(text: str | bytes | None) -> Change | None:
    """A later message; None for a ping. Raises `Refusal` with what is wrong."""
    frame = _decode(text)
    if isinstance(frame, ReplayPing):
        return None
    if isinstance(frame, ReplayHello):
        raise Refusal(BAD_FRAME, "hello comes once")
    at = None if frame.at is None else _moment("at", frame.at)
    if frame.step is not None and not 0 < frame.step <= LONGEST_STEP.total_seconds():
        raise Refusal(BAD_FRAME, "'step' is more than 0 and at most 600 seconds")
    step = None if frame.step is None else timedelta(seconds=frame.step)
    return Change(frame.playing, frame.speed, at, step)


def _decode(text: str | bytes | None) -> _Frame:
    if not isinstance(text, str) or len(text) > MAX_FRAME_CHARACTERS:
        raise Refusal(
            BAD_FRAME, f"frames are JSON in text messages, of at most {MAX_FRAME_CHARACTERS}"
        )
    try:
        return _decoder.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise Refusal(BAD_FRAME, f"bad frame: {error}") from error


def _moment(name: str, text: str) -> datetime:
    try:
        return moment_of(name, text)
    except BadParameter as error:
        raise Refusal(BAD_FRAME, f"{name}: {error.detail}") from None
