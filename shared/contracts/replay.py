"""The frames of `WS /v1/replay` that differ from those of `WS /v1/live` (contracts/live.py).

The server's are the same, but that `hello` and `pulse` say where the replay stands: whoever reads
`replay` in them knows that this is not the present. `server_time` is the replay's time.
"""

from typing import Literal

import msgspec

from shared.contracts.live import City, Filter, Latency

PROTOCOL = 1
Speed = Literal[1, 10, 60]


class ReplayHello(msgspec.Struct, frozen=True, tag="hello", tag_field="type"):
    """The first frame of a client. Times are RFC 3339 with offset. `to`: where it ends; None: now.
    `resume` has no meaning here and is passed over."""

    from_: str = msgspec.field(name="from")
    to: str | None = None
    speed: Speed = 1
    playing: bool = True
    filter: Filter | None = None
    resume: str | None = None


class Steer(msgspec.Struct, frozen=True, tag="steer", tag_field="type"):
    """Changes a replay under way; what is None stays. `at`: go to this moment, by a new snapshot;
    `step`: play on for so many seconds at once, then pause."""

    playing: bool | None = None
    speed: Speed | None = None
    at: str | None = None
    step: float | None = None


class ReplayPing(msgspec.Struct, frozen=True, tag="ping", tag_field="type"):
    """Asks for a `pulse` now."""


class Standing(msgspec.Struct, frozen=True):
    """Where a replay stands. `ended`: it has come to `to`, and goes on only from elsewhere."""

    from_: str = msgspec.field(name="from")
    to: str
    speed: Speed
    playing: bool
    ended: bool


class ReplayGreeting(msgspec.Struct, frozen=True, tag="hello", tag_field="type"):
    """The server's first frame; see `live.Hello`."""

    server_time: str
    tick_ms: int
    city: City
    replay: Standing
    protocol: int = PROTOCOL


class ReplayPulse(msgspec.Struct, frozen=True, tag="pulse", tag_field="type"):
    """With every tick; see `live.Pulse`. `lag_ms`, `latency_ms`: of the present, so none here."""

    server_time: str
    replay: Standing
    lag_ms: int = 0
    latency_ms: Latency = Latency(None, None, None)
    clients: int = 1
    dropped: int = 0
