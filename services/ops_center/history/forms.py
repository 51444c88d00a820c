"""A table in the form that was asked for."""

from collections.abc import AsyncGenerator

from services.ops_center.history import accept
from services.ops_center.history.csv_form import csv_form
from services.ops_center.history.json_forms import geojson_form, json_form, ndjson_form
from services.ops_center.history.table import Table

EXTENSIONS = {
    accept.JSON: "json",
    accept.NDJSON: "ndjson",
    accept.CSV: "csv",
    accept.PARQUET: "parquet",
    accept.GEOJSON: "geojson",
}


def written(table: Table, media_type: str) -> AsyncGenerator[bytes, None]:
    """The bytes, as the pages come."""
    match media_type:
        case accept.CSV:
            return csv_form(table)
        case accept.NDJSON:
            return ndjson_form(table)
        case accept.GEOJSON:
            return geojson_form(table)
        case accept.PARQUET:
            from services.ops_center.history.parquet_form import parquet_form

            return parquet_form(table)
        case _:
            return json_form(table)
