"""Another city is configuration; and the live picture learns of sensors and metrics."""

from pathlib import Path

from tests.product import Product
from tests.waiting import until

METRIC = {
    "domain": "environment",
    "unit": "NTU",
    "name_zh": "浊度",
    "name_en": "Turbidity",
    "interval_seconds": 60,
}


def test_guangzhou_starts_and_its_picture_learns_of_a_new_sensor(tmp_path: Path) -> None:
    product = Product(tmp_path, {"CITY": "440100"})
    try:
        with product.start().client() as client:
            areas = client.get("/v1/areas?tree=true").json()["items"]
            assert [(city["name_en"], len(city["children"])) for city in areas] == [
                ("Guangzhou", 11)
            ]
            before = client.get("/v1/summary").json()["series"]["total"]
            assert client.put("/v1/metrics/water.turbidity", json=METRIC).status_code == 200
            body = {"metrics": ["water.turbidity"], "location": {"lon": 113.33, "lat": 23.14}}
            made = client.put("/v1/sensors/t-1", json=body).json()
            assert made["area_id"] == "440106"
            assert until(
                lambda: client.get("/v1/summary").json()["series"]["total"] == before + 1, 20
            )
            client.delete("/v1/sensors/t-1")
            assert until(lambda: client.get("/v1/summary").json()["series"]["total"] == before, 20)
    finally:
        product.stop()
