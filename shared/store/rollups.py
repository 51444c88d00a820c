"""Rollups: their widths and names, and how buckets are merged."""

from datetime import UTC, datetime, timedelta

ORIGIN = datetime(2000, 1, 1, tzinfo=UTC) - timedelta(hours=8)  # midnight in China
WIDTHS = (60, 900, 3_600, 86_400)
_NAMES = {60: "rollups_1m", 900: "rollups_15m", 3_600: "rollups_1h", 86_400: "rollups_1d"}

# Several buckets as one, which its trustworthy readings decide; only where there is none, its bad
# ones. Of columns count, bad, min, max, mean, last and last_at.
MERGED_MIN = "coalesce(min(min) FILTER (WHERE bad < count), min(min))"
MERGED_MAX = "coalesce(max(max) FILTER (WHERE bad < count), max(max))"
MERGED_MEAN = (
    "coalesce(sum(mean * (count - bad)) FILTER (WHERE bad < count) / nullif(sum(count - bad), 0),"
    " sum(mean * count) / sum(count))"
)
MERGED_LAST = "(array_agg(last ORDER BY bad = count, last_at DESC))[1]"
MERGED_LAST_AT = "(array_agg(last_at ORDER BY bad = count, last_at DESC))[1]"


def floor_to(moment: datetime, width: int) -> datetime:
    """The start of the bucket of `width` seconds that `moment` lies in."""
    return moment - (moment - ORIGIN) % timedelta(seconds=width)


def relation(width: int) -> str:
    """The relation that has the buckets of `width` seconds."""
    return f"ingest.{_NAMES[width]}"
