"""Small decisions: eager sends, throttle, hops, spans of time, layers, pages."""

import asyncio
import gzip
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from services.ops_center.eager import begin
from services.ops_center.history.span import (
    MAX_POINTS,
    MIN_POINTS,
    BadParameter,
    Span,
    bucket_seconds,
    span_of,
)
from services.ops_center.hops import HOPS, KEPT_SAMPLES, Journey, percentiles
from services.ops_center.layers import find_layer, list_layers
from services.ops_center.pages import Assets, pages_router
from services.ops_center.throttle import FORGET_SECONDS, KEPT_KEYS, Throttle
from shared.store.rollups import ORIGIN
from shared.web.security import SecurityHeaders
from tests.unit.ops_center.wall import settle

NOW = datetime(2026, 5, 1, tzinfo=UTC)


async def test_a_coroutine_that_never_waits_needs_no_task() -> None:
    done: list[int] = []

    async def quick() -> None:
        done.append(1)

    assert begin(quick()) is None
    assert done == [1]


async def test_a_coroutine_that_waits_goes_on_in_a_task() -> None:
    first, second = asyncio.Event(), asyncio.Event()
    done: list[int] = []

    async def slow() -> None:
        await first.wait()
        done.append(1)
        await second.wait()
        done.append(2)

    task = begin(slow())
    assert task is not None
    first.set()
    await settle()
    assert done == [1]
    second.set()
    await task
    assert done == [1, 2]


async def test_cancelling_the_task_cancels_the_coroutine() -> None:
    cleaned: list[bool] = []

    async def slow() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cleaned.append(True)

    task = begin(slow())
    assert task is not None
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert cleaned == [True]


def test_the_throttle_slows_down_more_and_more_and_forgives() -> None:
    throttle = Throttle(free=3)
    for _ in range(2):
        throttle.attempt("a", 0.0)
    assert throttle.pause("a", 0.0) == 0
    pauses = []
    for _ in range(4):
        throttle.attempt("a", 0.0)
        pauses.append(throttle.pause("a", 0.0))
    assert pauses == [2, 4, 8, 16]
    assert throttle.pause("b", 0.0) == 0
    assert throttle.pause("a", 16.0) == 0
    throttle.attempt("a", 20.0)
    assert throttle.pause("a", 20.0 + FORGET_SECONDS + 1) == 0
    throttle.succeeded("a")
    assert throttle.pause("a", 20.0) == 0


def test_the_throttle_is_bounded() -> None:
    throttle = Throttle()
    for number in range(KEPT_KEYS + 100):
        throttle.attempt(str(number), 0.0)
    assert len(throttle._records) == KEPT_KEYS


def test_every_hop_is_measured_from_the_end_of_the_one_before() -> None:
    journey = Journey()
    for milliseconds in range(1, 101):
        accepted = 1_000_000 - milliseconds * 1000
        journey.applied(accepted - 7_000, accepted, 990_000, 1_000_000)
    journey.sent(1_000_000, 1_020_000)
    journey.painted(1_000, 1_100_000)
    journey.painted(999, 5_000_000)  # no such tick
    lag, samples = journey.report()
    assert lag == 10
    found = {hop: percentiles(samples[hop]) for hop in HOPS}
    latency = found["latency"]
    assert (latency.p50, latency.p95, latency.p99) == (70, 115, 119)
    medians = {hop: found[hop].p50 for hop in ("accepted", "pictured", "sent", "painted")}
    assert medians == {"accepted": 7, "pictured": 10, "sent": 20, "painted": 80}
    assert found["logged"].p99 == 89  # a clock that runs ahead gives no negative time
    assert 100 <= (found["shown"].p50 or 0) <= 200
    assert not any(journey.report()[1].values())


def test_hops_are_bounded_and_stay_even() -> None:
    journey = Journey()
    for number in range(100_000):
        journey.applied(0, 0, 0, number)
    journey.sent(0, 1_000_000)
    samples = journey.report()[1]
    assert all(len(kept) <= KEPT_SAMPLES for kept in samples.values())
    middle = percentiles(samples["pictured"]).p50
    assert middle is not None
    assert abs(middle - 50) <= 1


def test_the_span_defaults_to_the_last_day() -> None:
    assert span_of(None, None, NOW) == Span(NOW - timedelta(hours=24), NOW)
    span = span_of("2026-04-01T00:00:00 08:00", "2026-04-02T00:00:00Z", NOW)
    assert span.end - span.start == timedelta(hours=32)


@pytest.mark.parametrize(
    ("start", "end", "name"),
    [
        ("yesterday", None, "from"),
        (None, "2026-04-01T00:00:00", "to"),
        ("2026-04-02T00:00:00Z", "2026-04-01T00:00:00Z", "from"),
        ("2026-04-02T00:00:00Z", "2026-04-02T00:00:00Z", "from"),
        ("1777622400", None, "from"),
        (None, "0001-01-01T00:00:00Z", "to"),
    ],
)
def test_a_wrong_span_names_its_parameter(start: str | None, end: str | None, name: str) -> None:
    with pytest.raises(BadParameter) as error:
        span_of(start, end, NOW)
    assert error.value.name == name


@given(st.integers(1, 4_000_000_000), st.integers(MIN_POINTS, MAX_POINTS), st.integers(0, 10**9))
def test_buckets_never_exceed_the_points_asked_for(seconds: int, points: int, offset: int) -> None:
    start = NOW - timedelta(seconds=offset)
    width = bucket_seconds(Span(start, start + timedelta(seconds=min(seconds, 10**9))), points)
    first = (start - ORIGIN).total_seconds() // width
    end = start + timedelta(seconds=min(seconds, 10**9), microseconds=-1)
    assert (end - ORIGIN).total_seconds() // width - first + 1 <= points


def test_layers_are_listed_and_no_path_leads_out(tmp_path: Path) -> None:
    folder = tmp_path / "layers"
    assert list_layers(folder) == []
    folder.mkdir()
    (tmp_path / "secret.geojson").write_text("{}")
    for name in ("河流.geojson", "base map.pmtiles", "notes.txt", ".hidden.geojson"):
        (folder / name).write_text("{}")
    found = list_layers(folder)
    assert [(one.name, one.kind) for one in found] == [("base map", "pmtiles"), ("河流", "geojson")]
    assert found[0].url == "/v1/map/layers/base%20map.pmtiles"
    for outside in ("../secret.geojson", "/etc/passwd", "", ".", "..", "notes.txt", "a\x00b"):
        assert find_layer(folder, outside) is None


def page_client(dist: Path) -> TestClient:
    app = FastAPI()
    app.include_router(pages_router(dist))
    app.mount("/assets", Assets(dist / "assets"))
    return TestClient(SecurityHeaders(app))


def test_without_a_build_the_page_says_what_to_do(tmp_path: Path) -> None:
    answer = page_client(tmp_path).get("/")
    assert answer.status_code == 503
    assert "make wall" in answer.text


def test_pages_are_guarded_and_assets_kept(tmp_path: Path) -> None:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<html>wall</html>")
    (tmp_path / "console.html").write_text("<html>console</html>")
    (tmp_path / "assets" / "main-1a2b.js").write_text("1")
    client = page_client(tmp_path)
    wall = client.get("/?token=x")
    assert wall.text == "<html>wall</html>"
    policy = wall.headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "worker-src 'self' blob:" in policy
    assert wall.headers["x-content-type-options"] == "nosniff"
    assert wall.headers["referrer-policy"] == "no-referrer"
    assert wall.headers["cache-control"] == "no-cache"
    assert client.get("/console").text == "<html>console</html>"
    asset = client.get("/assets/main-1a2b.js")
    assert "immutable" in asset.headers["cache-control"]
    assert client.get("/assets/../index.html").status_code == 404


def test_a_packed_asset_goes_to_whoever_can_unpack_it(tmp_path: Path) -> None:
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "main-1a2b.js").write_text("let one;")
    (tmp_path / "assets" / "main-1a2b.js.gz").write_bytes(gzip.compress(b"let one;"))
    client = page_client(tmp_path)
    packed = client.get("/assets/main-1a2b.js", headers={"Accept-Encoding": "br, gzip"})
    plain = client.get("/assets/main-1a2b.js", headers={"Accept-Encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    for answer in (packed, plain):
        assert answer.text == "let one;"
        assert answer.headers["content-type"].startswith("text/javascript")
        assert answer.headers["vary"] == "Accept-Encoding"
