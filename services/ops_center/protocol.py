"""The live protocol's decisions: which client frames are fit, what a resume token means."""

import base64
import binascii
import hashlib
import math
from collections.abc import Collection
from enum import StrEnum
from typing import NamedTuple

import msgspec

from services.ops_center.telling import Telling, Told
from shared.contracts.live import ClientFilter, ClientHello, ClientPainted, ClientPing, Filter
from shared.web.identity import Restrictions

MAX_FRAME_CHARACTERS = 8 * 1024
MAX_TOKEN_CHARACTERS = 2 * 1024
MAX_FILTER_AREAS = 64
BOX_STEPS = 100  # per degree: screens that look at nearly the same place share their frames
HELLO_SECONDS = 10.0

BAD_FRAME = 4400
UNAUTHORISED = 4401
CROSS_SITE = 4403
TRY_AGAIN = 1013

Vector = tuple[int, ...]  # next offset per partition

ClientFrame = ClientHello | ClientPing | ClientFilter | ClientPainted

_decoder: msgspec.json.Decoder[ClientFrame] = msgspec.json.Decoder(ClientFrame)


class Refusal(Exception):
    """The socket must be closed. `code`: a WebSocket close code; `reason`: at most 123 bytes."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason.encode()[:123].decode(errors="ignore")


class ResyncReason(StrEnum):
    """Why a client must take a new snapshot."""

    BAD_TOKEN = "bad_token"
    INCARNATION = "incarnation"  # the log is another one
    REGISTRY = "registry"  # sensors, metrics or areas changed
    FILTER = "filter"
    RIGHTS = "rights"  # the screen may see something else now
    TOO_OLD = "too_old"  # what came after the token is no longer kept here
    AHEAD = "ahead"  # the client has seen more than this replica yet
    OVERFLOW = "overflow"  # too many incidents wait for this screen
    RELOADED = "reloaded"  # the picture was read anew


class Mark(NamedTuple):
    """A moment of the stream: everything before it has been sent. `readings`, `incidents`: next
    offset per partition; `at_us`: the server's time, as series turn stale without any record."""

    readings: Vector
    incidents: Vector
    at_us: int

    def after(self, partition: int, offset: int) -> "Mark":
        """The same, with one more incident event."""
        incidents = (*self.incidents[:partition], offset + 1, *self.incidents[partition + 1 :])
        return self._replace(incidents=incidents)

    def same_place(self, other: "Mark") -> bool:
        """Nothing lies between the two in the log."""
        return self[:2] == other[:2]


class Token(msgspec.Struct, frozen=True, array_like=True):
    """What a client has seen, and of which picture: its log, its numbering, its filter."""

    incarnation: str
    registry: str
    filter: str
    readings: Vector
    incidents: Vector
    at_us: int

    @property
    def mark(self) -> Mark:
        """Where it stands."""
        return Mark(self.readings, self.incidents, self.at_us)


_token_decoder = msgspec.json.Decoder(Token)


def decode_client(text: str | bytes | None) -> ClientFrame:
    """A client's message → frame. Raises `Refusal` with what is wrong."""
    if not isinstance(text, str):
        raise Refusal(BAD_FRAME, "frames are JSON in text messages")
    if len(text) > MAX_FRAME_CHARACTERS:
        raise Refusal(BAD_FRAME, f"a frame has at most {MAX_FRAME_CHARACTERS} characters")
    try:
        frame = _decoder.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise Refusal(BAD_FRAME, f"bad frame: {error}") from error
    if isinstance(frame, ClientHello | ClientFilter) and frame.filter is not None:
        check_filter(frame.filter)
    return frame


def decode_hello(text: str | bytes | None) -> ClientHello:
    """A client's first message. Raises `Refusal`."""
    frame = decode_client(text)
    if not isinstance(frame, ClientHello):
        raise Refusal(BAD_FRAME, "the first frame must be hello")
    return frame


def check_filter(wanted: Filter) -> None:
    """Raise `Refusal` for what no filter can be."""
    if len(wanted.areas or ()) > MAX_FILTER_AREAS:
        raise Refusal(BAD_FRAME, f"a filter names at most {MAX_FILTER_AREAS} areas")
    if wanted.bbox is not None:
        west, south, east, north = wanted.bbox
        if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
            raise Refusal(BAD_FRAME, "a bbox is west, south, east, north in degrees")


class Sight(msgspec.Struct, frozen=True):
    """What some screens see: their filter within their rights, in one form however it was put.
    None: no limit. `within`: areas too, of which one must hold beside one of `areas`."""

    domains: list[str] | None = None
    areas: list[str] | None = None
    within: list[str] | None = None
    metrics: list[str] | None = None
    bbox: tuple[int, int, int, int] | None = None  # in steps of a hundredth of a degree
    told: Told | None = None


def canonical(
    wanted: Filter | None, rights: Restrictions | None = None, telling: Telling | None = None
) -> Sight:
    """The sight of a filter, of what its screen is confined to and of what it may be told."""
    wanted = wanted or Filter()
    rights = rights or Restrictions()
    domains = None if wanted.domains is None else set[str](wanted.domains)
    if rights.domains:
        domains = set(rights.domains) if domains is None else domains & rights.domains
    areas = _listed(wanted.areas)
    within = sorted(rights.areas) or None
    if areas is None or areas == within:
        areas, within = within, None
    box = None if wanted.bbox is None else _widened(wanted.bbox)
    metrics, told = sorted(rights.metrics) or None, None if telling is None else telling.told
    return Sight(_listed(domains), areas, within, metrics, box, told)


def _listed(names: Collection[str] | None) -> list[str] | None:
    return None if names is None else sorted(set(names))


def _widened(box: tuple[float, float, float, float]) -> tuple[int, int, int, int]:
    west, south, east, north = (at * BOX_STEPS for at in box)
    return math.floor(west), math.floor(south), math.ceil(east), math.ceil(north)


def filter_key(wanted: Sight) -> str:
    """Names a sight; "" for everything."""
    if wanted == Sight():
        return ""
    return hashlib.sha256(msgspec.json.encode(wanted)).hexdigest()[:16]


def encode_token(token: Token) -> str:
    """The token as clients carry it."""
    return base64.urlsafe_b64encode(msgspec.json.encode(token)).rstrip(b"=").decode()


def decode_token(text: str) -> Token | None:
    """None for anything that `encode_token` cannot have made."""
    if len(text) > MAX_TOKEN_CHARACTERS:
        return None
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        token = _token_decoder.decode(raw)
    except (binascii.Error, ValueError, RecursionError):
        return None
    return token if all(at >= 0 for at in token.readings + token.incidents) else None


def judge(token: Token, now: Token, oldest: Mark) -> ResyncReason | None:
    """Why `token` cannot be resumed at `now`, the present; None: it can.

    `oldest`: the first offsets from which on every change is known here.
    """
    if token.incarnation != now.incarnation:
        return ResyncReason.INCARNATION
    if token.registry != now.registry:
        return ResyncReason.REGISTRY
    if token.filter != now.filter:
        return ResyncReason.FILTER
    if not _same_shape(token, now):
        return ResyncReason.INCARNATION
    if _before(token.readings, oldest.readings) or _before(token.incidents, oldest.incidents):
        return ResyncReason.TOO_OLD
    if _before(now.readings, token.readings) or _before(now.incidents, token.incidents):
        return ResyncReason.AHEAD
    return None


def _same_shape(one: Token, other: Token) -> bool:
    return len(one.readings) == len(other.readings) and len(one.incidents) == len(other.incidents)


def _before(one: Vector, other: Vector) -> bool:
    """True if `one` lies before `other` in any partition."""
    return any(a < b for a, b in zip(one, other, strict=True))
