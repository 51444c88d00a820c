"""A body of any format that is held as a whole → its items. Pure."""

from collections.abc import Mapping

from services.ingest.border.decode import read_body
from services.ingest.border.formats.cloudevents import read_binary, read_event, read_events
from services.ingest.border.formats.lines import read_lines
from services.ingest.border.formats.media import Format
from services.ingest.border.formats.parts import Part, Parts


def read_format(form: Format, attributes: Mapping[str, bytes], body: bytes) -> Parts:
    """`attributes`: of an event in binary mode. Raises `Malformed` or `BadHeaders`."""
    match form:
        case Format.JSON:
            plain = read_body(body)
            return Parts(
                [Part(plain.raw(index), plain.pointer(index, "")) for index in range(len(plain))]
            )
        case Format.LINES:
            return Parts(read_lines(body))
        case Format.EVENT:
            return read_event(body)
        case Format.EVENTS:
            return read_events(body)
        case Format.BINARY:
            return read_binary(attributes, body)
