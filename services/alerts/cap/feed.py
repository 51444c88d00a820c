"""The Atom feed of the warnings that hold. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from xml.etree import ElementTree

from services.alerts.channels.cap import CAP_TYPE

ATOM = "http://www.w3.org/2005/Atom"


@dataclass(frozen=True)
class Entry:
    """A message of the feed."""

    identifier: str
    headline: str
    area: str
    kind: str
    sent_at: datetime
    expires_at: datetime


def feed(base: str, sender: str, entries: Iterable[Entry], updated: datetime) -> str:
    """`base`: the address before `/v1/cap`; the newest entry first."""
    root = ElementTree.Element("feed", {"xmlns": ATOM})
    address = f"{base}/v1/cap"
    _add(root, "id", address)
    _add(root, "title", "预警信息 Public warnings")
    _add(root, "updated", updated.isoformat(timespec="seconds"))
    _link(root, address, "self", "application/atom+xml")
    _add(ElementTree.SubElement(root, "author"), "name", sender)
    for one in entries:
        entry = ElementTree.SubElement(root, "entry")
        where = f"{address}/{one.identifier}"
        _add(entry, "id", where)
        _add(entry, "title", one.headline)
        _add(entry, "updated", one.sent_at.isoformat(timespec="seconds"))
        _add(entry, "summary", f"{one.kind} · {one.area} · {one.expires_at:%Y-%m-%dT%H:%M:%S%z}")
        _link(entry, where, "alternate", CAP_TYPE)
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _add(parent: ElementTree.Element, name: str, text: str) -> None:
    ElementTree.SubElement(parent, name).text = text


def _link(parent: ElementTree.Element, address: str, relation: str, kind: str) -> None:
    ElementTree.SubElement(parent, "link", {"rel": relation, "type": kind, "href": address})
