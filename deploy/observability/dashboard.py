"""`python -m deploy.observability.dashboard`: Grafana's dashboard from `charts.yaml`, anew."""

import json
from dataclasses import dataclass

import yaml

from deploy.observability.catalogue import ROOT

LIST = ROOT / "deploy" / "observability" / "charts.yaml"
FILE = LIST.with_name("dashboard.json")
COLUMNS, WIDTH, HEIGHT = 3, 8, 8
SOURCE = {"type": "prometheus", "uid": "${source}"}


@dataclass(frozen=True)
class Chart:
    """`queries`: legend → PromQL; `unit`: as Grafana names it."""

    title: str
    unit: str
    queries: dict[str, str]


CHARTS = tuple(Chart(**one) for one in yaml.safe_load(LIST.read_text(encoding="utf-8")))


def dashboard() -> str:
    """Grafana's JSON."""
    source = {"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus"}
    whole = {
        "uid": "yiwang",
        "title": "一网 Yiwang",
        "tags": ["yiwang"],
        "timezone": "browser",
        "schemaVersion": 39,
        "editable": True,
        "refresh": "15s",
        "graphTooltip": 1,
        "time": {"from": "now-1h", "to": "now"},
        "templating": {"list": [source]},
        "panels": [_panel(number, chart) for number, chart in enumerate(CHARTS)],
    }
    return json.dumps(whole, ensure_ascii=False, indent=1) + "\n"


def _panel(number: int, chart: Chart) -> dict[str, object]:
    row, column = divmod(number, COLUMNS)
    targets = [
        {"refId": chr(ord("A") + at), "expr": expr, "legendFormat": legend, "datasource": SOURCE}
        for at, (legend, expr) in enumerate(chart.queries.items())
    ]
    custom = {"lineWidth": 1, "fillOpacity": 8, "showPoints": "never"}
    legend = {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []}
    return {
        "id": number + 1,
        "type": "timeseries",
        "title": chart.title,
        "gridPos": {"h": HEIGHT, "w": WIDTH, "x": column * WIDTH, "y": row * HEIGHT},
        "datasource": SOURCE,
        "targets": targets,
        "fieldConfig": {
            "defaults": {"unit": chart.unit, "min": 0, "custom": custom},
            "overrides": [],
        },
        "options": {"legend": legend, "tooltip": {"mode": "multi", "sort": "desc"}},
    }


if __name__ == "__main__":
    FILE.write_text(dashboard(), encoding="utf-8")
