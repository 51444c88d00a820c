"""The catalogue as DCAT-AP 3 in JSON-LD. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from services.ops_center.catalogue.entries import LICENCES, READINGS, Entry
from shared.disclosure.level import Level

MEDIA_TYPE = "application/ld+json"
_EU = "http://publications.europa.eu/resource/authority/"
_IANA = "https://www.iana.org/assignments/media-types/"
_ACCESS = {Level.PUBLIC: "PUBLIC", Level.INTERNAL: "RESTRICTED"}
_THEMES = {  # of the EU's data themes: code, name zh, en
    "traffic": ("TRAN", "交通", "Transport"),
    "environment": ("ENVI", "环境", "Environment"),
    "utilities": ("ENER", "能源", "Energy"),
    "city": ("GOVE", "政府与公共部门", "Government and public sector"),
}
_MEASURES = ("completeness", "timeliness", "validity")
_FORMS = ("text/csv", "application/json", "application/vnd.apache.parquet", "application/geo+json")

CONTEXT: Mapping[str, Any] = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "dqv": "http://www.w3.org/ns/dqv#",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}


def catalogue(
    found: Sequence[Entry], base: str, city: tuple[str, str], adcode: int, now: datetime
) -> dict[str, Any]:
    """`base`: the platform's address without a slash at its end; `city`: its name zh, en."""
    zh, en = city
    names = _texts(f"{zh}城市运行管理中心", f"{en} city operations centre")
    return {
        "@context": CONTEXT,
        "@id": f"{base}/v1/catalogue/dcat",
        "@type": "dcat:Catalog",
        "dct:title": _texts(f"{zh}城市数据目录", f"Data catalogue of {en}"),
        "dct:description": _texts(
            "城市运行平台可共享的数据集。", "What the city operations platform has to share."
        ),
        "dct:publisher": _agent(f"{base}/data#publisher", names),
        "dct:language": [
            _typed(f"{_EU}language/{code}", "dct:LinguisticSystem") for code in ("ZHO", "ENG")
        ],
        "dct:modified": _moment(now),
        "foaf:homepage": _typed(f"{base}/data", "foaf:Document"),
        "dcat:dataset": [_dataset(one, base, adcode) for one in found],
    }


def _dataset(entry: Entry, base: str, adcode: int) -> dict[str, Any]:
    address = f"{base}/v1/catalogue/{entry.dataset}"
    made: dict[str, Any] = {
        "@id": address,
        "@type": "dcat:Dataset",
        "dct:identifier": entry.dataset,
        "dct:title": _texts(entry.title_zh, entry.title_en),
        "dct:description": _texts(entry.description_zh, entry.description_en),
        "dct:publisher": _agent(f"{address}#owner", _texts(entry.owner_zh, entry.owner_en)),
        "dct:accessRights": _typed(
            f"{_EU}access-right/{_ACCESS.get(entry.level, 'NON_PUBLIC')}", "dct:RightsStatement"
        ),
        "dcat:theme": _theme(entry.domain),
        "dcat:keyword": [_text(entry.title_zh, "zh"), _text(entry.title_en, "en")],
        "dct:spatial": _typed(f"urn:cn:adcode:{adcode}", "dct:Location"),
        "dcat:landingPage": _typed(f"{base}/data#{entry.dataset}", "foaf:Document"),
        "dcat:distribution": _distributions(entry, base, address),
    }
    if entry.newest_at is not None:
        made["dct:modified"] = _moment(entry.newest_at)
    if entry.interval_seconds is not None:
        made["dct:accrualPeriodicity"] = _typed(f"{_EU}frequency/UPDATE_CONT", "dct:Frequency")
        made["dcat:temporalResolution"] = {
            "@value": f"PT{entry.interval_seconds}S", "@type": "xsd:duration"
        }  # fmt: skip
    if entry.quality is not None:
        made["dqv:hasQualityMeasurement"] = [
            {
                "@type": "dqv:QualityMeasurement",
                "dqv:isMeasurementOf": _id(f"{base}/v1/catalogue/dcat#{name}"),
                "dqv:value": {"@value": str(round(value, 4)), "@type": "xsd:decimal"},
            }
            for name in _MEASURES
            if (value := getattr(entry.quality, name)) is not None
        ]
    return made


def _distributions(entry: Entry, base: str, address: str) -> list[dict[str, Any]]:
    forms: tuple[str, ...]
    if entry.level is Level.PUBLIC and entry.dataset.startswith(READINGS):
        where, forms = f"{address}/data", _FORMS
    elif entry.dataset == "warnings":
        where, forms = f"{base}/v1/cap", ("application/atom+xml",)
    elif entry.dataset == "areas":
        where, forms = f"{base}/v1/areas", ("application/json",)
    else:
        where, forms = f"{base}/v1/exports", ("application/vnd.apache.parquet", "text/csv")
    return [
        {
            "@id": f"{address}#{form.rpartition('/')[2]}",
            "@type": "dcat:Distribution",
            "dct:title": _texts(f"{entry.title_zh}（{form}）", f"{entry.title_en} ({form})"),
            "dcat:accessURL": _typed(where, "rdfs:Resource"),
            "dcat:mediaType": _typed(_IANA + form, "dct:MediaType"),
            "dct:license": _typed(
                LICENCES.get(entry.licence, f"{base}/data#licence-{entry.licence}"),
                "dct:LicenseDocument",
            ),
        }
        for form in forms
    ]


def _theme(domain: str) -> dict[str, Any]:
    code, zh, en = _THEMES.get(domain, _THEMES["city"])
    concept: dict[str, Any] = dict(_typed(f"{_EU}data-theme/{code}", "skos:Concept"))
    return concept | {"skos:prefLabel": _texts(zh, en)}


def _agent(address: str, names: list[dict[str, str]]) -> dict[str, Any]:
    return {"@id": address, "@type": "foaf:Agent", "foaf:name": names}


def _id(address: str) -> dict[str, str]:
    return {"@id": address}


def _typed(address: str, kind: str) -> dict[str, str]:
    return {"@id": address, "@type": kind}


def _text(text: str, language: str) -> dict[str, str]:
    return {"@value": text, "@language": language}


def _texts(zh: str, en: str) -> list[dict[str, str]]:
    return [_text(zh, "zh"), _text(en, "en")]


def _moment(moment: datetime) -> dict[str, str]:
    return {"@value": moment.isoformat(), "@type": "xsd:dateTime"}
