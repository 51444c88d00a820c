"""A reading: as sources send it (`ReadingIn`), and as it lies on `city.readings` (`Batch`)."""

import math
from collections.abc import Iterator, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

import msgspec
from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

SENSOR_ID_PATTERN = r"^[A-Za-z0-9._:\-]{1,64}$"
METRIC_PATTERN = r"^[a-z0-9_]+(\.[a-z0-9_]+)*$"


class Quality(StrEnum):
    """What the source says of the value's trustworthiness."""

    GOOD = "good"
    SUSPECT = "suspect"
    BAD = "bad"


class ItemCode(StrEnum):
    """Why one item of a batch was refused (HTTP) or set aside (quarantine)."""

    MALFORMED = "malformed"
    INVALID_TYPE = "invalid_type"
    INVALID_VALUE = "invalid_value"
    UNKNOWN_FIELD = "unknown_field"
    UNKNOWN_SENSOR = "unknown_sensor"
    UNKNOWN_METRIC = "unknown_metric"
    OUT_OF_RANGE = "out_of_range"
    IN_FUTURE = "in_future"
    TOO_OLD = "too_old"
    FORBIDDEN = "forbidden"
    TOO_LARGE = "too_large"
    CONFLICT = "conflict"
    OVER_QUOTA = "over_quota"  # set aside only: over HTTP a request over quota is a 429


def parse_moment(text: str) -> datetime:
    """RFC 3339 with offset → aware datetime, rounded to microseconds; ValueError otherwise."""
    try:
        return msgspec.convert(text, _Moment)
    except msgspec.ValidationError:
        raise ValueError(
            "a time is RFC 3339 with an offset, such as 2026-05-01T08:00:00+08:00"
        ) from None


def _moment(value: object) -> datetime:
    if not isinstance(value, str):
        raise PydanticCustomError("datetime_type", "Input should be an RFC 3339 string")
    return parse_moment(value)


_Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class ReadingIn(BaseModel):
    """One reading as a source posts it. The contract; the fast decoder must agree with it.

    `observed_at` is RFC 3339 with an offset; `value` is a finite float64 in the metric's unit.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    sensor_id: Annotated[str, Field(pattern=SENSOR_ID_PATTERN, examples=["gauge-0001"])]
    metric: Annotated[str, Field(pattern=METRIC_PATTERN, max_length=64, examples=["water.level"])]
    observed_at: Annotated[AwareDatetime, BeforeValidator(_moment), Field(strict=False)]
    value: Annotated[float, Field(allow_inf_nan=False, strict=True)]
    quality: Annotated[Quality, Field(strict=False)] = Quality.GOOD
    replace: bool = False


class Rejected(BaseModel):
    """One refused item: `index` in the request, `pointer` is a JSON pointer into the body."""

    index: int
    pointer: str
    code: ItemCode
    detail: str


class BatchAnswer(BaseModel):
    """The answer to `POST /v1/readings`: 202 if anything was accepted, else 422."""

    receipt: str | None
    accepted: int
    rejected: list[Rejected]


class StreamAnswer(BatchAnswer):
    """The answer to a stream. `rejected` describes the first 1,000 of `rejected_total`; `items`:
    lines judged; `earlier_receipts`: where one receipt cannot name everything."""

    items: int
    rejected_total: int
    rejected_by_code: dict[ItemCode, int]
    earlier_receipts: list[str] = []
    dropped_receipts: int = 0


# Not frozen, since requests are numbered on; nothing else of a reading ever changes.
class Reading(msgspec.Struct, array_like=True, gc=False):
    """One clean reading on `city.readings`: a JSON array, times in epoch microseconds (UTC).

    `index` is its place in the request it came in, so that a receipt can name it; requests that
    share a record are numbered on, and their receipts know where each begins.
    """

    sensor_id: str
    metric: str
    observed_us: int
    value: float
    quality: Literal["good", "suspect", "bad"] = "good"
    replace: bool = False
    index: int = 0


class Batch(msgspec.Struct, frozen=True, gc=False):
    """The value of one `city.readings` record: readings of one request, or of several requests.

    `accepted_us`: when the gateway accepted the first of them; `source`: the posting key's name;
    `trace`: the CloudEvents id or W3C context it came with, or "". Without items it is a clock
    tick: `accepted_us` says how far time has come at this place of the log. Version 2: `source`
    is "" and `sources` says, in the order of `items`, how many are whose.
    """

    items: list[Reading]
    accepted_us: int
    source: str
    v: int = 1
    trace: str = ""
    sources: list[tuple[str, Annotated[int, msgspec.Meta(ge=1)]]] = []

    def by_source(self) -> Iterator[tuple[str, Sequence[Reading]]]:
        """(the posting key's name, its items), in order."""
        if not self.sources:
            yield self.source, self.items
        start = 0
        for source, count in self.sources:
            yield source, self.items[start : start + count]
            start += count


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Batch)


def encode_batch(batch: Batch) -> bytes:
    """`Batch` → the record's bytes."""
    return _encoder.encode(batch)


class EncodedItems:
    """Items of a batch that is not complete: encoded as they come, while they are in the cache."""

    def __init__(self) -> None:
        self._json = bytearray()

    def add(self, items: Sequence[Reading]) -> None:
        """Behind those that are there; at least one."""
        start = len(self._json)
        _encoder.encode_into(items, self._json, start)
        self._json.pop()  # the bracket: more may come
        if start:
            self._json[start] = ord(",")

    def add_one(self, item: Reading) -> None:
        """The same for a single one."""
        self._json += b"," if self._json else b"["
        _encoder.encode_into(item, self._json, -1)

    def batch(self, rest: Batch) -> bytes:
        """What `encode_batch` makes of `rest`, which has no items, with these."""
        return _ITEMS + self._json + _encoder.encode(rest).removeprefix(_ITEMS + b"[")


_ITEMS = b'{"items":'


def decode_batch(raw: bytes) -> Batch:
    """The record's bytes → `Batch`. Raises `msgspec.DecodeError` (a ValueError) on garbage."""
    batch = _decoder.decode(raw)
    if batch.sources and sum(count for _, count in batch.sources) != len(batch.items):
        raise msgspec.ValidationError("`sources` does not account for every item")
    return batch


def is_finite(value: float) -> bool:
    """True for a number a reading may carry."""
    return math.isfinite(value)
