"""A public warning as a CAP 1.2 document (OASIS), with an identifier by GB/T 35965.1-2018. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

from services.alerts.channels.cap import NAMESPACE
from shared.contracts.incident import Incident, WarningColour

ZONE: Final = ZoneInfo("Asia/Shanghai")
Kind = Literal["Alert", "Update", "Cancel"]
Status = Literal["Actual", "Exercise"]
COLOURS: Final[Sequence[WarningColour]] = ("red", "orange", "yellow", "blue")  # the gravest first
_UNPRINTABLE = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NAMES = {
    "red": ("红色", "Red"), "orange": ("橙色", "Orange"), "yellow": ("黄色", "Yellow"),
    "blue": ("蓝色", "Blue"),
}  # fmt: skip
_SEVERITIES = {"red": "Extreme", "orange": "Severe", "yellow": "Moderate", "blue": "Minor"}
_URGENCIES = {"red": "Immediate", "orange": "Expected", "yellow": "Expected", "blue": "Future"}
_CATEGORIES = {
    "weather": "Met", "river": "Met", "flooding": "Met", "air": "Env", "noise": "Env",
    "waste": "Env", "gas": "Safety", "congestion": "Transport", "power": "Infra",
    "water_supply": "Infra", "drainage": "Infra", "pump": "Infra", "manhole": "Infra",
}  # fmt: skip


@dataclass(frozen=True)
class Sender:
    """Who warns. `address`: globally unique, as CAP wants it; `code`: the first 14 digits of every
    identifier, division and organisation; `status`: Exercise while the city is simulated."""

    address: str
    code: str
    status: Status


@dataclass(frozen=True)
class Area:
    """Where. `rings`: outer rings of (longitude, latitude) in WGS 84, closed."""

    area_id: str
    name_zh: str
    name_en: str
    rings: Sequence[Sequence[tuple[float, float]]] = ()


@dataclass(frozen=True)
class Earlier:
    """A message that a later one replaces."""

    identifier: str
    sent_at: datetime


@dataclass(frozen=True)
class PublicWarning:
    """One message. `event`: what it is about, in Chinese and English; `earlier`: all that it
    replaces."""

    identifier: str
    kind: Kind
    sent_at: datetime
    expires_at: datetime
    incident: Incident
    colour: WarningColour
    event: tuple[str, str]
    area: Area
    earlier: Sequence[Earlier] = ()

    @property
    def headlines(self) -> tuple[str, str]:
        """In Chinese and English."""
        chinese, english = _NAMES[self.colour]
        lifted = self.kind == "Cancel"
        zh = f"{self.area.name_zh}{'解除' if lifted else '发布'}{self.event[0]}{chinese}预警"
        en = f"{english} warning{' lifted' if lifted else ''}: {self.event[1]}, {self.area.name_en}"
        return zh, en


def identifier(code: str, sent_at: datetime, number: int) -> str:
    """`ZZZZZZDDDUUUXX_YYYYMMDDhhmmss_N`; `number`: from 1, of the messages of a second."""
    return f"{code}_{sent_at.astimezone(ZONE):%Y%m%d%H%M%S}_{number}"


def document(warning: PublicWarning, sender: Sender) -> str:
    """The message as XML."""
    root = ElementTree.Element("alert", xmlns=NAMESPACE)
    head = {
        "identifier": warning.identifier,
        "sender": sender.address,
        "sent": _moment(warning.sent_at),
        "status": sender.status,
        "msgType": warning.kind,
        "scope": "Public",
    }
    if sender.status == "Exercise":
        head["note"] = "演练：数据来自模拟城市 Exercise: the data are of a simulated city"
    if warning.earlier:
        named = (
            f"{sender.address},{one.identifier},{_moment(one.sent_at)}" for one in warning.earlier
        )
        head["references"] = " ".join(named)
    _fill(root, head)
    for place, language in enumerate(("zh-CN", "en-US")):
        info = ElementTree.SubElement(root, "info")
        _fill(info, _info(warning, place, language))
        _colour(info, warning.colour)
        _fill_area(ElementTree.SubElement(info, "area"), warning.area, place)
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _info(warning: PublicWarning, place: int, language: str) -> dict[str, str]:
    lifted = warning.kind == "Cancel"
    return {
        "language": language,
        "category": _CATEGORIES.get(warning.incident.category or "", "Other"),
        "event": warning.event[place],
        "responseType": "AllClear" if lifted else "Monitor",
        "urgency": "Past" if lifted else _URGENCIES[warning.colour],
        "severity": _SEVERITIES[warning.colour],
        "certainty": "Observed",
        "effective": _moment(warning.sent_at),
        "onset": _moment(warning.incident.observed_at),
        "expires": _moment(warning.expires_at),
        "headline": warning.headlines[place],
        "description": _description(warning.incident, place),
    }


def _description(incident: Incident, place: int) -> str:
    said = [incident.title] if place == 0 else []
    if incident.metric is not None and incident.value is not None:
        said.append(f"{incident.metric} {incident.value:g}")
        if incident.threshold is not None:
            said.append(f"{'阈值' if place == 0 else 'limit'} {incident.threshold:g}")
    return " · ".join(said) or incident.title


def _colour(info: ElementTree.Element, colour: str) -> None:
    parameter = ElementTree.SubElement(info, "parameter")
    _fill(parameter, {"valueName": "warning_colour", "value": colour})


def _fill_area(element: ElementTree.Element, area: Area, place: int) -> None:
    _fill(element, {"areaDesc": (area.name_zh, area.name_en)[place]})
    for ring in area.rings:
        points = " ".join(f"{lat:.4f},{lon:.4f}" for lon, lat in ring)
        ElementTree.SubElement(element, "polygon").text = points
    geocode = ElementTree.SubElement(element, "geocode")
    _fill(geocode, {"valueName": "GB/T 2260", "value": area.area_id})


def _fill(element: ElementTree.Element, values: Mapping[str, str]) -> None:
    for name, value in values.items():
        ElementTree.SubElement(element, name).text = _printable(value)


def _printable(value: str) -> str:
    """What XML 1.0 may contain of it."""
    return _UNPRINTABLE.sub("", value)


def _moment(value: datetime) -> str:
    return value.astimezone(ZONE).isoformat(timespec="seconds")
