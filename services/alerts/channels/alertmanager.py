"""The webhook payload of Prometheus Alertmanager (version 4), for what already understands it."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from services.alerts.channels.channel import Body, Message, Pace, Refusal, Target

_NEVER = "0001-01-01T00:00:00Z"
_OVER = {"resolved", "closed"}


class Alertmanager:
    """Every incident is an alert; one message may tell of many."""

    name = "alertmanager"
    paces: Sequence[Pace] = ()
    batches = 100

    def reason_to_refuse(self, target: Target) -> str | None:
        """See `Channel`."""
        return None

    def message(
        self, target: Target, message_id: str, bodies: Sequence[Body], now: datetime
    ) -> Message:
        """See `Channel`. With a secret: as a bearer token."""
        found: dict[str, dict[str, Any]] = {}
        for body in bodies:
            for incident in _incidents(body):
                found[str(incident["id"])] = _alert(incident)  # the newest of each
        alerts = list(found.values())
        firing = any(alert["status"] == "firing" for alert in alerts)
        payload = {
            "version": "4",
            "groupKey": f"yiwang:{message_id}",
            "truncatedAlerts": 0,
            "status": "firing" if firing else "resolved",
            "receiver": "yiwang",
            "groupLabels": {},
            "commonLabels": _common(alerts, "labels"),
            "commonAnnotations": _common(alerts, "annotations"),
            "externalURL": target.options.get("external_url", ""),
            "alerts": alerts,
        }
        headers = {"content-type": "application/json", "user-agent": "Yiwang-Webhooks/1"}
        if target.secrets:
            headers["authorization"] = f"Bearer {target.secrets[0]}"
        raw = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
        return Message(target.url, headers, raw)

    def refusal(self, body: bytes) -> Refusal | None:
        """The status says it all."""
        return None


def _incidents(body: Body) -> Sequence[Mapping[str, Any]]:
    data = body["data"]
    if body["type"] == "page":
        return list(data["incidents"])
    return [data] if "id" in data else []


def _alert(incident: Mapping[str, Any]) -> dict[str, Any]:
    over = incident["state"] in _OVER or incident.get("alert_state") == "cleared"
    labels = {
        "alertname": incident.get("rule_id") or incident.get("category") or "report",
        "incident": incident["id"],
        "area": incident.get("area_id"),
        "grade": str(incident["grade"]),
        "priority": str(incident["priority"]),
        "metric": incident.get("metric"),
        "department": incident.get("department"),
    }
    annotations = {"summary": str(incident["title"])}
    if incident.get("value") is not None:
        annotations["value"] = f"{incident['value']:g}"
    return {
        "status": "resolved" if over else "firing",
        "labels": {name: str(label) for name, label in labels.items() if label},
        "annotations": annotations,
        "startsAt": incident["observed_at"],
        "endsAt": incident["updated_at"] if over else _NEVER,
        "generatorURL": "",
        "fingerprint": str(incident["id"]).replace("-", "")[:16],
    }


def _common(alerts: Sequence[Mapping[str, Any]], name: str) -> dict[str, str]:
    if not alerts:
        return {}
    first, *others = (alert[name] for alert in alerts)
    return {
        key: value
        for key, value in first.items()
        if all(other.get(key) == value for other in others)
    }
