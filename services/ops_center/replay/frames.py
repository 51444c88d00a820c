"""The frames that only a replay has. Pure."""

from datetime import datetime

import msgspec

from services.ops_center.view import rfc3339
from shared.contracts.live import City
from shared.contracts.replay import ReplayGreeting, ReplayPulse, Standing

_encoder = msgspec.json.Encoder()


def greeting_frame(at: datetime, tick_seconds: float, city: City, standing: Standing) -> str:
    """The server's first frame."""
    tick_ms = round(tick_seconds * 1000)
    return _encoder.encode(ReplayGreeting(rfc3339(at), tick_ms, city, standing)).decode()


def pulse_frame(at: datetime, standing: Standing) -> str:
    """Where the replay stands."""
    return _encoder.encode(ReplayPulse(rfc3339(at), standing)).decode()
