"""A recorded city in one state after another: what the wall is shown in each scene.

`zhaoqing.json.gz` was recorded from the product with its simulator: hello, snapshot (times as ages
in ms), areas and cells. Every scene starts from it, at one moment, with everything normal.
"""

import gzip
import json
import math
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

NOW = datetime(2026, 5, 1, 2, 30, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1000)
RECORDED = Path(__file__).parent / "zhaoqing.json.gz"
GAS = "gas.concentration"
SILENT_MS = 3_600_000

Frame = dict[str, Any]


@dataclass(frozen=True)
class Scene:
    """`change`: what is different from a calm city; `query`: of the page's address; `keys`: pressed
    once it is drawn, `click`: what is clicked then; `cut`: the link is lost for 23 s."""

    name: str
    change: Callable[["City"], None] = lambda city: None
    query: str = ""
    keys: tuple[str, ...] = ()
    click: str = ""
    cut: bool = False


class City:
    """Frames to be changed."""

    def __init__(self) -> None:
        recorded = deepcopy(_recorded())
        self.hello: Frame = recorded["hello"] | {"server_time": NOW.isoformat()}
        self.snapshot: Frame = recorded["snapshot"]
        self.areas: Frame = recorded["areas"]
        self.cells: Frame = recorded["cells"]
        series = self.snapshot["series"]
        series["observed_at"] = [age and NOW_MS - age for age in series["observed_at"]]

    @property
    def pulse(self) -> Frame:
        """As a server under little load says it."""
        latency = {"p50": 161, "p95": 214, "p99": 263}
        return {"type": "pulse", "server_time": NOW.isoformat(), "lag_ms": 5,
                "latency_ms": latency, "clients": 3, "dropped": 0}  # fmt: skip

    def alarm(
        self, number: int, metric: str, area: str, priority: int, value: float, limit: float,
        title: str, minutes: float,
    ) -> None:  # fmt: skip
        """The area's sensor with this number of those that measure `metric` is in alarm."""
        place = [at for at, area_id in self._spoken(metric) if area_id == area][number]
        series, sensors = self.snapshot["series"], self.snapshot["sensors"]
        series["value"][place], series["state"][place] = value, f"p{priority}"
        sensor = series["sensor"][place]
        opened = _ago(minutes)
        self.snapshot["incidents"].append(
            _incident(len(self.snapshot["incidents"]), opened) | {
                "title": f"{title} · {sensors['name'][sensor]}", "priority": priority,
                "grade": priority, "area_id": area, "subjects": [sensors["id"][sensor]],
                "metric": metric, "value": value, "threshold": limit,
            }
        )  # fmt: skip

    def silence(self, areas: frozenset[str], metric: str) -> None:
        """Nothing has been heard from these areas for an hour, nor of this metric anywhere."""
        series = self.snapshot["series"]
        for place, state in enumerate(series["state"]):
            area = self.snapshot["sensors"]["area_id"][series["sensor"][place]]
            if state == "normal" and (area in areas or series["metric"][place] == metric):
                series["state"][place] = "stale"
                series["observed_at"][place] = NOW_MS - SILENT_MS

    def standing(self, sensor_id: str, metric: str) -> tuple[float, bool]:
        """A series' value, and whether it is in alarm."""
        series, sensor = self.snapshot["series"], self.snapshot["sensors"]["id"].index(sensor_id)
        place = next(
            at
            for at, (owner, measured) in enumerate(
                zip(series["sensor"], series["metric"], strict=True)
            )
            if (owner, measured) == (sensor, metric)
        )
        return float(series["value"][place] or 0), series["state"][place].startswith("p")

    def _spoken(self, metric: str) -> Iterator[tuple[int, str]]:
        series, sensors = self.snapshot["series"], self.snapshot["sensors"]
        for place, measured in enumerate(series["metric"]):
            if measured == metric and series["state"][place] != "never":
                yield place, sensors["area_id"][series["sensor"][place]]


def history(city: City, query: Mapping[str, list[str]]) -> Frame:
    """Three quiet hours of a series, ending near its present value; an alarm rose minutes ago."""
    level, alarmed = city.standing(query["sensor_id"][0], query["metric"][0])
    seed = sum(map(ord, query["sensor_id"][0])) % 7
    first = NOW_MS - 3 * 3_600_000
    items = []
    for step in range(90):
        share = 0.97 + 0.025 * math.sin(step / 9 + seed) + 0.008 * math.sin(step * 1.7)
        at = datetime.fromtimestamp((first + step * 120_000) / 1000, UTC).isoformat()
        items.append({"at": at, "mean": round(level * share * (0.4 if alarmed else 1), 3)})
    return {"unit": "", "resolution_seconds": 120, "items": items}


def one_urgent(city: City) -> None:
    """Gas in 端州, four minutes ago."""
    city.alarm(2, GAS, "441202", 1, 34.5, 20, "燃气浓度超限", 4)


def flood(city: City) -> None:
    """Two of priority 1, and a rainstorm along the river: 44 within ten minutes."""
    one_urgent(city)
    city.alarm(1, GAS, "441203", 1, 28.0, 20, "燃气浓度超限", 9)
    for area, count in (("441202", 5), ("441203", 5), ("441204", 4), ("441226", 3)):
        for number in range(count):
            level = 8.1 + 0.3 * number
            city.alarm(number, "water.level", area, 2, level, 8, "河道水位超警戒", 8 - number)
            city.alarm(number, "drain.level", area, 2, 1.6 + 0.1 * number, 1.5, "排水井水位过高",
                       7 - number)  # fmt: skip
    for number in range(2):
        for area in ("441202", "441203", "441204", "441226"):
            city.alarm(number, "weather.rain", area, 3, 62.0 + number, 50, "短时强降雨", 9)


def stale(city: City) -> None:
    """Two counties silent, and PM2.5 everywhere."""
    city.silence(frozenset({"441224", "441225"}), "air.pm25")


def neighbours(city: City) -> None:
    """Guangzhou warns of a flood along the border, Yunfu exercises, Qingyuan says nothing."""
    one_urgent(city)
    cities = [
        (440100, "广州", "Guangzhou"),
        (441800, "清远", "Qingyuan"),
        (445300, "云浮", "Yunfu"),
    ]
    flood_zh, flood_en = "广州市发布洪水橙色预警", "Orange warning: Flood, Guangzhou"
    flash_zh, flash_en = "云浮市发布山洪黄色预警", "Yellow warning: Flash flood, Yunfu"
    city.hello["neighbours"] = {
        "cities": [
            {"adcode": adcode, "name_zh": zh, "name_en": en, "silent": adcode == 441800,
             "heard_at": _ago(95 if adcode == 441800 else 3)}
            for adcode, zh, en in cities
        ],
        "warnings": [
            _warning(440100, "Severe", flood_zh, flood_en, 42, [112.75, 23.0]),
            _warning(445300, "Moderate", flash_zh, flash_en, 130, [111.75, 22.75])
            | {"exercise": True},
        ],
    }  # fmt: skip


SCENES = (
    Scene("calm"),
    Scene("urgent", one_urgent),
    Scene("urgent-en", one_urgent, query="lang=en"),
    Scene("urgent-light", one_urgent, query="theme=light"),
    Scene("flood", flood),
    Scene("flood-en-light", flood, query="lang=en&theme=light"),
    Scene("stale", stale),
    Scene("disconnected", one_urgent, cut=True),
    Scene("grid", flood, keys=("g",)),
    Scene("districts", flood, query="panels=districts,incidents,trends"),
    Scene("health-en", stale, query="lang=en&panels=health,incidents,trends"),
    Scene("view", one_urgent, query="area=441202&domains=utilities"),
    Scene("case", one_urgent, keys=("ArrowDown", "Enter")),
    Scene("sign", flood, click=".domain:nth-child(2) .sign button"),
    Scene("replay", one_urgent, query="replay=2026-05-01T02:00:00Z&speed=10"),
    Scene("help", keys=("?",)),
    Scene("neighbours", neighbours),
)


@cache
def _recorded() -> Frame:
    recorded: Frame = json.loads(gzip.decompress(RECORDED.read_bytes()))
    return recorded


def _incident(number: int, opened: str) -> Frame:
    return {
        "id": f"00000000-0000-4000-8000-{number:012d}", "version": 1, "state": "open",
        "alert_state": "active", "rule_id": "rule", "rule_version": 1, "opened_at": opened,
        "updated_at": opened, "observed_at": opened, "deadline_at": None, "department": None,
        "historical": False, "kind": "alert", "parent_id": None, "merged_into": None, "links": [],
        "cause": None, "category": None, "warning": None, "members": 1, "alarms": [],
        "suppressed": None, "flapping": False, "assigned_area": None, "step_due_at": None,
        "overdue": False, "held": [],
    }  # fmt: skip


def _ago(minutes: float) -> str:
    return datetime.fromtimestamp(NOW.timestamp() - 60 * minutes, UTC).isoformat()


def _warning(
    adcode: int, severity: str, zh: str, en: str, minutes: float, corner: list[float]
) -> Frame:
    west, south = corner
    ring = [corner, [west + 0.3, south - 0.05], [west + 0.35, south + 0.25],
            [west + 0.1, south + 0.3], corner]  # fmt: skip
    return {
        "adcode": adcode, "identifier": f"{adcode}_1", "severity": severity, "exercise": False,
        "event_zh": "", "event_en": "", "headline_zh": zh, "headline_en": en, "area_zh": "",
        "area_en": "", "since": _ago(minutes), "sent_at": _ago(minutes),
        "expires_at": _ago(minutes - 6 * 60), "outline": [ring],
    }  # fmt: skip
