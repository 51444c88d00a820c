"""A CAP 1.2 message as another city sends it: read, and judged, before anything is kept. Pure.

The document has no document type: without one there are no entities, and nothing to expand or to
fetch.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from xml.etree import ElementTree

from services.alerts.channels.cap import NAMESPACE
from services.alerts.neighbours.outline import Ring, circle, polygon, simplified

MAX_BYTES: Final = 256 * 1024
AHEAD = timedelta(minutes=5)  # of a sender's clock
OLDEST = timedelta(days=31)  # no warning is older, and none holds longer without an Update
YEARS = range(2000, 2200)
HOLDS = timedelta(hours=24)  # where a message does not say how long
WORDS_AT_MOST = 1_000  # characters that are shown; the document is kept whole
IDENTIFIER_AT_MOST = 200
POINTS_AT_MOST = 5_000
REFERENCES_AT_MOST = 100
KINDS = ("Alert", "Update", "Cancel")
STATUSES = ("Actual", "Exercise", "System", "Test")
SEVERITIES = ("Extreme", "Severe", "Moderate", "Minor", "Unknown")
_NOT_IN_NAMES = set(" ,<&\t\r\n")


class Unfit(Exception):
    """A document that cannot be taken. `pointer`: of the element that is wrong; `code`: why."""

    def __init__(self, pointer: str, detail: str, code: str = "invalid_value") -> None:
        super().__init__(detail)
        self.pointer, self.detail, self.code = pointer, detail, code


@dataclass(frozen=True)
class Told:
    """What a message says of a danger. `wording`: by `zh` and `en`, each {event, headline, area,
    description}; `outline`: outer rings of (longitude, latitude), WGS 84."""

    since: datetime
    expires_at: datetime
    severity: str
    category: str
    wording: Mapping[str, Mapping[str, str]]
    outline: Sequence[Ring]


@dataclass(frozen=True)
class Message:
    """One message. `replaces`: `sender,identifier` of earlier ones. `told`: None of what warns of
    nothing: a sign of life, or a test."""

    sender: str
    identifier: str
    kind: str
    exercise: bool
    sent_at: datetime
    replaces: Sequence[str]
    told: Told | None


def read(raw: bytes, now: datetime) -> Message:
    """The message of a document. Raises `Unfit`."""
    root = _parsed(raw)
    status = _one_of(root, "status", STATUSES)
    kind = _one_of(root, "msgType", KINDS)
    sent = _moment(root, "sent")
    if sent > now + AHEAD:
        raise Unfit("/alert/sent", f"{sent.isoformat()} is in the future", "in_future")
    if sent < now - OLDEST:
        raise Unfit("/alert/sent", f"older than {OLDEST.days} days", "too_old")
    if _text(root, "scope") != "Public":
        raise Unfit("/alert/scope", "what is not Public cannot be shown here")
    warns = status in ("Actual", "Exercise")
    replaces = _references(root) if warns else []
    if warns and kind != "Alert" and not replaces:
        raise Unfit("/alert/references", f"an {kind} names the messages that it replaces")
    return Message(
        _name(root, "sender"), _name(root, "identifier"), kind, status == "Exercise", sent,
        replaces, _told(root, kind, sent) if warns else None,
    )  # fmt: skip


class _WithoutType(ElementTree.TreeBuilder):
    """Refuses a document type, before anything in it is read."""

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        raise Unfit("", f"a CAP document has no document type (DOCTYPE {name})", "forbidden")


def _parsed(raw: bytes) -> ElementTree.Element:
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unfit("", f"not UTF-8: byte {error.start}", "malformed") from error
    parser = ElementTree.XMLParser(target=_WithoutType())
    try:
        parser.feed(text)
        root = parser.close()
    except ElementTree.ParseError as error:
        raise Unfit("", f"not well-formed XML: {error}", "malformed") from error
    if root.tag != f"{{{NAMESPACE}}}alert":
        raise Unfit("", f"the root element is not alert of {NAMESPACE}", "malformed")
    return root


def _told(root: ElementTree.Element, kind: str, sent: datetime) -> Told:
    infos = root.findall(_tag("info"))
    if not infos:
        if kind != "Cancel":
            raise Unfit("/alert/info", "it is missing")
        return Told(sent, sent + HOLDS, "Unknown", "Other", {}, [])
    first = infos[0]
    return Told(
        _moment(first, "onset", _moment(first, "effective", sent)),
        min(_moment(first, "expires", sent + HOLDS), sent + OLDEST),
        _one_of(first, "severity", SEVERITIES),
        _text(first, "category"),
        _wording(infos),
        _outline(first),
    )


def _wording(infos: Sequence[ElementTree.Element]) -> dict[str, dict[str, str]]:
    """The first in Chinese and the first in English; what is not there is said in the other."""
    found: dict[str, dict[str, str]] = {}
    for info in infos:
        language = (info.findtext(_tag("language")) or "en-US").lower()
        code = "zh" if language.startswith("zh") else "en" if language.startswith("en") else "xx"
        if code not in found:
            found[code] = _words(info)
    any_of_them = next(iter(found.values()))
    return {code: found.get(code, any_of_them) for code in ("zh", "en")}


def _words(info: ElementTree.Element) -> dict[str, str]:
    event = _text(info, "event")
    places = [_text(area, "areaDesc") for area in info.findall(_tag("area"))]
    said = {
        "event": event,
        "headline": info.findtext(_tag("headline")) or event,
        "area": "、".join(places),
        "description": info.findtext(_tag("description")) or "",
    }
    return {name: " ".join(words.split())[:WORDS_AT_MOST] for name, words in said.items()}


def _outline(info: ElementTree.Element) -> list[Ring]:
    """Polygons, and circles as polygons."""
    rings: list[Ring] = []
    for area in info.findall(_tag("area")):
        for name, drawn in (("polygon", polygon), ("circle", circle)):
            for element in area.findall(_tag(name)):
                try:
                    rings.append(drawn(element.text or ""))
                except ValueError as error:
                    raise Unfit(f"/alert/info/area/{name}", str(error)) from error
                if sum(map(len, rings)) > POINTS_AT_MOST:
                    detail = f"more than {POINTS_AT_MOST} points"
                    raise Unfit("/alert/info/area", detail, "too_large")
    return simplified(rings)


def _references(root: ElementTree.Element) -> list[str]:
    found = []
    for one in (root.findtext(_tag("references")) or "").split():
        parts = one.split(",")
        if len(parts) != 3 or not all(parts):
            raise Unfit("/alert/references", f"{one[:100]!r} is not sender,identifier,sent")
        found.append(f"{parts[0]},{parts[1]}")
    if len(found) > REFERENCES_AT_MOST:
        raise Unfit("/alert/references", f"more than {REFERENCES_AT_MOST}", "too_large")
    return found


def _name(root: ElementTree.Element, name: str) -> str:
    text = _text(root, name)
    if len(text) > IDENTIFIER_AT_MOST or _NOT_IN_NAMES & set(text):
        detail = f"at most {IDENTIFIER_AT_MOST} characters, without spaces, commas, < and &"
        raise Unfit(_pointer(root, name), detail)
    return text


def _one_of(element: ElementTree.Element, name: str, known: Sequence[str]) -> str:
    text = _text(element, name)
    if text not in known:
        raise Unfit(_pointer(element, name), f"{text[:100]!r} is none of {', '.join(known)}")
    return text


def _moment(element: ElementTree.Element, name: str, otherwise: datetime | None = None) -> datetime:
    if otherwise is not None and element.find(_tag(name)) is None:
        return otherwise
    text = _text(element, name)
    found = None
    with suppress(ValueError):
        found = datetime.fromisoformat(text)
    if found is None or found.tzinfo is None or found.year not in YEARS:
        detail = f"{text[:100]!r} is not a time with its zone, such as 2026-05-01T08:00:00+08:00"
        raise Unfit(_pointer(element, name), detail)
    return found


def _text(element: ElementTree.Element, name: str) -> str:
    text = (element.findtext(_tag(name)) or "").strip()
    if not text:
        raise Unfit(_pointer(element, name), "it is missing")
    return text


def _pointer(element: Any, name: str) -> str:
    above = {"alert": "/alert", "info": "/alert/info", "area": "/alert/info/area"}
    return f"{above[element.tag.rpartition('}')[2]]}/{name}"


def _tag(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"
