"""What the documentation shows at the other doors."""

from typing import Any

NGSI_LD: dict[str, Any] = {
    "normalised": {
        "summary": "NGSI-LD, normalised",
        "value": {
            "id": "urn:ngsi-ld:Notification:1",
            "type": "Notification",
            "subscriptionId": "urn:ngsi-ld:Subscription:1",
            "notifiedAt": "2026-05-01T08:00:01+08:00",
            "data": [
                {
                    "id": "aq-441202-0001",
                    "type": "AirQualityObserved",
                    "no2": {
                        "type": "Property",
                        "value": 22,
                        "unitCode": "GQ",
                        "observedAt": "2026-05-01T08:00:00+08:00",
                    },
                }
            ],
        },
    }
}
NGSI_V2: dict[str, Any] = {
    "keyValues": {
        "summary": "NGSI-v2, key-values",
        "value": {
            "subscriptionId": "5aeb0ee97d4ef10a12a0262f",
            "data": [
                {
                    "id": "tr-441202-0001",
                    "type": "TrafficFlowObserved",
                    "dateObserved": "2026-05-01T07:55:00+08:00/2026-05-01T08:00:00+08:00",
                    "averageVehicleSpeed": 52.6,
                }
            ],
        },
    }
}
SENSORTHINGS: dict[str, Any] = {
    "observation": {
        "summary": "one Observation",
        "value": {
            "phenomenonTime": "2026-05-01T08:00:00+08:00",
            "result": 3.2,
            "Datastream": {"@iot.id": "gauge-0001/water.level"},
        },
    },
    "data array": {
        "summary": "CreateObservations",
        "value": [
            {
                "Datastream": {"@iot.id": 42},
                "components": ["phenomenonTime", "result"],
                "dataArray": [["2026-05-01T08:00:00Z", 3.2], ["2026-05-01T08:01:00Z", 3.3]],
            }
        ],
    },
}
