"""Everything that judging remembers, in a form that can be kept. Pure."""

from collections.abc import Callable, Iterable

import msgspec

from services.alerts.judging.inquiry import InquiryState


class TrackState(msgspec.Struct, array_like=True):
    """Of one series, as far as it was heard at a quality. Times: epoch microseconds."""

    sensor_id: str
    metric: str
    quality: int
    newest_us: int
    heard_us: int
    gap_us: int
    older_gap_us: int


class Asked(msgspec.Struct, array_like=True):
    """What one sensor is asked by a part of a rule."""

    rule_id: str
    part: int
    sensor_id: str
    state: InquiryState


class States(msgspec.Struct):
    """Of the sensors of a partition. `rules`: how each rule was asked, see `Plan.fingerprint`."""

    tracks: list[TrackState] = []
    asked: list[Asked] = []
    rules: dict[str, str] = {}

    def of(self, mine: Callable[[str], bool]) -> "States":
        """The part that concerns some sensors."""
        return States(
            [track for track in self.tracks if mine(track.sensor_id)],
            [one for one in self.asked if mine(one.sensor_id)],
            self.rules,
        )


def merged(parts: Iterable[States]) -> States:
    """States of several partitions, as of one."""
    whole = States()
    for part in parts:
        whole.tracks += part.tracks
        whole.asked += part.asked
        whole.rules |= part.rules
    return whole
