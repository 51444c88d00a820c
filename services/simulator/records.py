"""What the simulator sends, as the gateway's contract has it. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec


class Reading(msgspec.Struct, frozen=True, gc=False):
    """One reading; `observed_at` is aware, `value` in the metric's unit."""

    sensor_id: str
    metric: str
    observed_at: datetime
    value: float


class Location(msgspec.Struct, frozen=True):
    """WGS 84, degrees."""

    lon: float
    lat: float


class Registration(msgspec.Struct, frozen=True, omit_defaults=True):
    """A sensor to be made known. Without a location it is `unplaced`."""

    sensor_id: str
    name: str
    metrics: tuple[str, ...]
    location: Location | None = None


class Rejected(msgspec.Struct, frozen=True):
    """An item that the gateway refused: `index` in the batch, and why."""

    index: int
    code: str
    pointer: str = ""
    detail: str = ""


class Answer(msgspec.Struct, frozen=True):
    """What became of a batch. `receipt`: None if nothing was accepted."""

    receipt: str | None
    accepted: int
    rejected: list[Rejected] = []


_encoder = msgspec.json.Encoder()
_answer = msgspec.json.Decoder(Answer)


def encode(items: Sequence[Reading] | Sequence[Registration]) -> bytes:
    """A JSON array."""
    return _encoder.encode(items)


def decode_answer(body: bytes) -> Answer:
    """The answer to a batch. Raises `msgspec.DecodeError`."""
    return _answer.decode(body)


def acknowledged(batch: Sequence[Reading], answer: Answer) -> list[tuple[str, str, str]]:
    """(sensor, metric, time) of every item of an answered batch that was accepted."""
    refused = {item.index for item in answer.rejected}
    return [
        (item.sensor_id, item.metric, item.observed_at.isoformat())
        for index, item in enumerate(batch)
        if index not in refused
    ]


def receipt_line(batch: Sequence[Reading], answer: Answer) -> bytes:
    """One line for the file of receipts."""
    line: dict[str, Any] = {"receipt": answer.receipt, "items": acknowledged(batch, answer)}
    return _encoder.encode(line) + b"\n"
