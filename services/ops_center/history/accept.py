"""Which of the offered media types a request accepts (RFC 9110, 12.5.1). Pure."""

from collections.abc import Sequence

JSON = "application/json"
NDJSON = "application/x-ndjson"
CSV = "text/csv"
PARQUET = "application/vnd.apache.parquet"
GEOJSON = "application/geo+json"
OFFERED = (JSON, NDJSON, CSV, PARQUET, GEOJSON)


def best(accept: str, offered: Sequence[str]) -> str | None:
    """The offered type with the highest quality, the first of equals; None: none is accepted."""
    ranges = [_parsed(part) for part in accept.split(",") if part.strip()] or [("*/*", 1.0)]
    rated = [(_quality(media_type, ranges), media_type) for media_type in offered]
    quality, found = max(rated, key=lambda pair: pair[0])
    return found if quality > 0 else None


def _quality(media_type: str, ranges: Sequence[tuple[str, float]]) -> float:
    """That of the most specific range that covers the type."""
    wildcard = media_type.split("/", maxsplit=1)[0] + "/*"
    for name in (media_type, wildcard, "*/*"):
        matching = [quality for covered, quality in ranges if covered == name]
        if matching:
            return max(matching)
    return 0.0


def _parsed(part: str) -> tuple[str, float]:
    name, *parameters = (text.strip().lower() for text in part.split(";"))
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == "q":
            try:
                return name, float(value)
            except ValueError:
                return name, 0.0
    return name, 1.0
