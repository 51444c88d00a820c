"""What the first stage publishes to `city.conditions`: changes of conditions, and its own time."""

import msgspec

from services.alerts.judging.change import ConditionChange


class Beat(msgspec.Struct, array_like=True, frozen=True):
    """The value of a record of `city.conditions`: what one record of `city.readings`, at
    `partition` and `offset`, has led to. It may be published more than once. `partitions`: how many
    there are; `now_us`: how far time had come there, epoch microseconds."""

    partition: int
    offset: int
    partitions: int
    now_us: int
    changes: list[ConditionChange] = []


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Beat)


def encode_beat(beat: Beat) -> bytes:
    """`Beat` → the record's bytes."""
    return _encoder.encode(beat)


def decode_beat(raw: bytes) -> Beat:
    """The record's bytes → `Beat`. Raises `msgspec.DecodeError` (a ValueError) on garbage."""
    return _decoder.decode(raw)
