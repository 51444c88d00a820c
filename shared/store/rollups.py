"""Rollups: their widths and names."""

from datetime import UTC, datetime, timedelta

ORIGIN = datetime(2000, 1, 1, tzinfo=UTC) - timedelta(hours=8)  # midnight in China
WIDTHS = (60, 900, 3_600, 86_400)
_NAMES = {60: "rollups_1m", 900: "rollups_15m", 3_600: "rollups_1h", 86_400: "rollups_1d"}


def floor_to(moment: datetime, width: int) -> datetime:
    """The start of the bucket of `width` seconds that `moment` lies in."""
    return moment - (moment - ORIGIN) % timedelta(seconds=width)


def relation(width: int) -> str:
    """The relation that has the buckets of `width` seconds."""
    return f"ingest.{_NAMES[width]}"
