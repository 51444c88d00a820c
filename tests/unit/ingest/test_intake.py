"""Every kind of bad item: refused with its place and reason, its neighbours accepted."""

import json
from typing import Any

import pytest

from services.ingest.border.decode import Malformed
from services.ingest.border.intake import SLICE_ITEMS, TooManyItems
from services.ingest.border.judge import Rights
from shared.contracts.reading import ItemCode
from shared.web.identity import Restrictions
from tests.unit.ingest.worlds import MOMENT, take

GOOD = {"sensor_id": "gauge-1", "metric": "water.level", "observed_at": MOMENT, "value": 3.5}

CASES: list[tuple[str, dict[str, Any], str, ItemCode]] = [
    ("text for a number", {"value": "3.5"}, "/value", ItemCode.INVALID_TYPE),
    ("true for a number", {"value": True}, "/value", ItemCode.INVALID_TYPE),
    ("null for a number", {"value": None}, "/value", ItemCode.INVALID_TYPE),
    ("list for a number", {"value": [1]}, "/value", ItemCode.INVALID_TYPE),
    ("number for text", {"sensor_id": 5}, "/sensor_id", ItemCode.INVALID_TYPE),
    ("out of range", {"value": 51}, "/value", ItemCode.OUT_OF_RANGE),
    ("huge integer", {"value": 10**308}, "/value", ItemCode.OUT_OF_RANGE),
    ("integer past float", {"value": 10**400}, "/value", ItemCode.INVALID_VALUE),
    ("unknown sensor", {"sensor_id": "gauge-2"}, "/sensor_id", ItemCode.UNKNOWN_SENSOR),
    ("retired sensor", {"sensor_id": "old-1"}, "/sensor_id", ItemCode.UNKNOWN_SENSOR),
    ("misspelt sensor", {"sensor_id": "gauge 1"}, "/sensor_id", ItemCode.INVALID_VALUE),
    ("empty sensor", {"sensor_id": ""}, "/sensor_id", ItemCode.INVALID_VALUE),
    ("over-long sensor", {"sensor_id": "x" * 100_000}, "/sensor_id", ItemCode.INVALID_VALUE),
    ("NUL in sensor", {"sensor_id": "gauge-1\0"}, "/sensor_id", ItemCode.INVALID_VALUE),
    ("unknown metric", {"metric": "water.colour"}, "/metric", ItemCode.UNKNOWN_METRIC),
    ("another's metric", {"metric": "traffic.speed"}, "/metric", ItemCode.UNKNOWN_METRIC),
    ("misspelt metric", {"metric": "Water.Level"}, "/metric", ItemCode.INVALID_VALUE),
    ("over-long metric", {"metric": "m" * 65}, "/metric", ItemCode.INVALID_VALUE),
    ("unknown field", {"unit": "m"}, "/unit", ItemCode.UNKNOWN_FIELD),
    ("odd field name", {"a/b~c": 1}, "/a~1b~0c", ItemCode.UNKNOWN_FIELD),
    ("unknown quality", {"quality": "fine"}, "/quality", ItemCode.INVALID_VALUE),
    ("text for a flag", {"replace": "yes"}, "/replace", ItemCode.INVALID_TYPE),
    ("replace without right", {"replace": True}, "/replace", ItemCode.FORBIDDEN),
    ("epoch seconds", {"observed_at": 1_777_622_340}, "/observed_at", ItemCode.INVALID_TYPE),
    *[
        (f"time {text}", {"observed_at": text}, "/observed_at", code)
        for text, code in {
            "2026-05-01T15:59:00": ItemCode.INVALID_VALUE,
            "2026-05-01": ItemCode.INVALID_VALUE,
            "yesterday": ItemCode.INVALID_VALUE,
            "": ItemCode.INVALID_VALUE,
            "2026-05-01T24:00:00Z": ItemCode.INVALID_VALUE,
            "2016-12-31T23:59:60Z": ItemCode.INVALID_VALUE,
            "2026-02-30T00:00:00Z": ItemCode.INVALID_VALUE,
            "0000-01-01T00:00:00Z": ItemCode.INVALID_VALUE,
            "2026-05-01T08:00:00+24:00": ItemCode.INVALID_VALUE,
            "0001-01-01T00:00:00+08:00": ItemCode.TOO_OLD,
            "9999-12-31T23:59:59-08:00": ItemCode.IN_FUTURE,
            "9999-12-31T23:59:59.9999999Z": ItemCode.INVALID_VALUE,
            "2026-05-01T08:05:01Z": ItemCode.IN_FUTURE,
            "2026-04-24T07:59:59Z": ItemCode.TOO_OLD,
        }.items()
    ],
]


@pytest.mark.parametrize(("change", "field", "code"), [case[1:] for case in CASES],
                         ids=[case[0] for case in CASES])  # fmt: skip
async def test_a_bad_item_is_refused_and_its_neighbours_are_not(
    change: dict[str, Any], field: str, code: ItemCode
) -> None:
    other = GOOD | {"observed_at": "2026-05-01T07:58:00Z"}
    taken = await take(json.dumps([GOOD, GOOD | change, other]).encode())
    assert taken.accepted == 2
    assert [(r.index, r.pointer, r.code) for r in taken.refused] == [(1, f"/1{field}", code)]
    assert 0 < len(taken.refused[0].detail) <= 300


@pytest.mark.parametrize("token", ["NaN", "Infinity", "-Infinity", "1e400", "-1e400"])
async def test_a_number_that_is_none_spoils_only_its_item(token: str) -> None:
    bad = json.dumps(GOOD).replace("3.5", token)
    taken = await take(f"[{json.dumps(GOOD)}, {bad}]".encode())
    assert taken.accepted == 1
    assert (taken.refused[0].pointer, taken.refused[0].code) == ("/1/value", "invalid_value")
    assert "finite" in taken.refused[0].detail


@pytest.mark.parametrize("missing", list(GOOD))
async def test_a_missing_field_is_named(missing: str) -> None:
    item = {name: value for name, value in GOOD.items() if name != missing}
    taken = await take(json.dumps(item).encode())
    assert (taken.refused[0].pointer, taken.refused[0].code) == (f"/{missing}", "malformed")


@pytest.mark.parametrize("item", ["5", "null", '"x"', "[]", "true"])
async def test_what_is_no_object_is_refused_as_an_item(item: str) -> None:
    taken = await take(f"[{json.dumps(GOOD)}, {item}]".encode())
    assert taken.accepted == 1
    assert (taken.refused[0].pointer, taken.refused[0].code) == ("/1", "invalid_type")


async def test_bytes_that_are_no_text_spoil_only_their_item() -> None:
    bad = json.dumps(GOOD).encode().replace(b"gauge-1", b"\xff")
    taken = await take(b"[%s, %s]" % (json.dumps(GOOD).encode(), bad))
    assert (taken.accepted, taken.refused[0].code) == (1, ItemCode.MALFORMED)


async def test_a_lone_surrogate_spoils_only_its_item() -> None:
    bad = json.dumps(GOOD).replace("gauge-1", "\\ud800")
    taken = await take(f"[{json.dumps(GOOD)}, {bad}]".encode())
    assert (taken.accepted, taken.refused[0].code) == (1, ItemCode.MALFORMED)


@pytest.mark.parametrize(
    ("body", "position"),
    [
        (b"", 0),
        (b"[", 1),
        (b'[{"sensor_id": }]', 15),
        (b"[1,]", 3),
        (b"{} x", 4),
        (b"\xef\xbb\xbf[]", 0),
        (b"[\xff]", 1),
        (b"[" * 100_000 + b"]" * 100_000, None),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, None),
    ],
    ids=[
        "empty",
        "cut",
        "no value",
        "comma",
        "trailing",
        "BOM",
        "no UTF-8",
        "deep",
        "deep object",
    ],
)
async def test_a_body_that_is_no_json_is_malformed(body: bytes, position: int | None) -> None:
    with pytest.raises(Malformed) as caught:
        await take(body)
    assert position is None or caught.value.position == position


async def test_a_single_object_has_pointers_without_index() -> None:
    taken = await take(json.dumps(GOOD | {"value": 99}).encode())
    assert (taken.refused[0].index, taken.refused[0].pointer) == (0, "/value")


async def test_too_many_items_are_refused_as_a_whole() -> None:
    with pytest.raises(TooManyItems):
        await take(json.dumps([GOOD] * 11).encode(), max_items=10)


async def test_a_body_of_several_slices_is_judged_whole_and_in_order() -> None:
    bad = {**GOOD, "value": 1e9}
    count = 2 * SLICE_ITEMS + 7
    taken = await take(json.dumps([bad if n % 100 == 5 else GOOD for n in range(count)]).encode(),
                       max_items=count)  # fmt: skip
    refused = [refusal.index for refusal in taken.refused]
    assert refused == [n for n in range(count) if n % 100 == 5]
    [readings] = taken.partitions.values()
    assert [reading.index for reading in readings] == [n for n in range(count) if n % 100 != 5]
    assert json.loads(taken.body.raw(refused[-1])) == bad


async def test_scopes_open_what_they_name() -> None:
    old = GOOD | {"observed_at": "2005-04-01T00:00:00Z", "replace": True}
    taken = await take(json.dumps(old).encode(), rights=Rights(backfill=True, correct=True))
    assert taken.accepted == 1
    ancient = GOOD | {"observed_at": "1899-12-31T00:00:00Z"}
    taken = await take(json.dumps(ancient).encode(), rights=Rights(backfill=True))
    assert taken.refused[0].code == ItemCode.TOO_OLD


async def test_accepted_readings_keep_index_time_and_partition() -> None:
    items = [GOOD | {"metric": "nope"}, GOOD | {"value": 4, "quality": "suspect"}, GOOD]
    taken = await take(json.dumps(items).encode())
    ((partition, readings),) = taken.partitions.items()
    assert partition in range(4)
    assert [(r.index, r.value, r.quality) for r in readings] == [
        (1, 4.0, "suspect"),
        (2, 3.5, "good"),
    ]
    assert readings[0].observed_us == 1_777_622_340_000_000


@pytest.mark.parametrize(
    ("allowed", "pointer"),
    [
        (Restrictions(), None),
        (Restrictions(metrics=frozenset(["water.level"])), None),
        (Restrictions(domains=frozenset(["environment"])), None),
        (Restrictions(areas=frozenset(["441200"])), None),
        (Restrictions(areas=frozenset(["441202", "441203"])), None),
        (Restrictions(areas=frozenset(["87411"])), None),
        (Restrictions(metrics=frozenset(["weather.rain"])), "/metric"),
        (Restrictions(domains=frozenset(["traffic"])), "/metric"),
        (Restrictions(areas=frozenset(["441203"])), "/sensor_id"),
    ],
)
async def test_a_confined_source(allowed: Restrictions, pointer: str | None) -> None:
    taken = await take(json.dumps(GOOD).encode(), rights=Rights(restrictions=allowed))
    refused = [(refused.pointer, refused.code) for refused in taken.refused]
    assert refused == ([] if pointer is None else [(pointer, ItemCode.FORBIDDEN)])


async def test_an_unplaced_sensor_lies_in_no_area() -> None:
    allowed = Restrictions(areas=frozenset(["441200"]))
    body = json.dumps(GOOD | {"sensor_id": "adrift-1"}).encode()
    taken = await take(body, rights=Rights(restrictions=allowed))
    assert [refused.pointer for refused in taken.refused] == ["/sensor_id"]
    assert not (await take(body)).refused


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        ("2026-05-01T16:00:00Z", "8 h ahead; at most 5 minutes are taken: is Chinese time marked"),
        ("2026-05-02T00:03:00Z", "16 h 3 min ahead; at most 5 minutes are taken: is Chinese time"),
        ("2026-05-01T08:07:00Z", "7 min ahead; at most 5 minutes are taken"),
        ("2026-05-01T11:00:00Z", "3 h ahead; at most 5 minutes are taken"),
    ],
)
async def test_a_reading_from_the_future_is_told_how_far_ahead_it_is(
    moment: str, said: str
) -> None:
    taken = await take(json.dumps(GOOD | {"observed_at": moment}).encode())
    (refused,) = taken.refused
    assert refused.code is ItemCode.IN_FUTURE and refused.detail.startswith(said)
    assert ("UTC" in refused.detail) is ("Chinese" in said)


async def test_a_little_skew_and_years_of_backfill_are_taken() -> None:
    times = ["2026-05-01T08:04:59Z", "1998-02-01T00:00:00+08:00", "2005-04-01T00:00:00Z"]
    items = [GOOD | {"observed_at": moment} for moment in times]
    taken = await take(json.dumps(items).encode(), rights=Rights(backfill=True))
    assert (taken.accepted, taken.refused) == (3, [])
    taken = await take(json.dumps(items).encode())
    assert [refused.code for refused in taken.refused] == [ItemCode.TOO_OLD] * 2
