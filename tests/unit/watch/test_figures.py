"""What the platform reads of itself: by process, and of all together."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from services.ingest.registry.catalogue import default_catalogue
from services.watch.exposition import read
from services.watch.figures import OF_A_PROCESS, OF_THE_WHOLE, Figures, Look, Own
from services.watch.rounds import skew

NOW = datetime(2026, 5, 1, 8, 0, tzinfo=UTC)
STEP = timedelta(seconds=10)


def look(process: str, **series: float) -> Look:
    """A process that says these; `ready` unless said otherwise."""
    own = {"yiwang_ready": 1.0} | {SERIES.get(name, name): value for name, value in series.items()}
    return Look(process, read("".join(f"{name} {value}\n" for name, value in own.items())))


SERIES = {
    "stored_0": 'yiwang_consumed_to_timestamp_seconds{group="writer",partition="0"}',
    "stored_1": 'yiwang_consumed_to_timestamp_seconds{group="writer",partition="1"}',
    "accepted": 'yiwang_ingest_accepted_total{edge="http"}',
    "overload": 'yiwang_ingest_refused_total{edge="http",reason="overload",source="unknown"}',
    "quota": 'yiwang_ingest_refused_total{edge="http",reason="quota_bytes",source="key"}',
    "waiting": 'yiwang_ingest_quarantine_items{code="conflict",state="waiting"}',
    "receiving": 'yiwang_ingest_backup_receiving{slot="yiwang_backup"}',
    "failing": "yiwang_endpoints_failing",
    "free": "yiwang_disk_free_bytes",
    "size": "yiwang_disk_size_bytes",
}


class Watch:
    """Looks at these, one look every ten seconds."""

    def __init__(self) -> None:
        self.figures, self.own, self.now = Figures(), Own(), NOW

    def see(self, *looks: Look) -> dict[tuple[str, str], float]:
        self.now += STEP
        found = self.figures.of(looks, self.now, self.own)
        return {(one.sensor, one.metric): one.value for one in found}


def test_a_process_that_does_not_answer_is_not_ready_and_says_nothing_else() -> None:
    found = Watch().see(Look("writer", None), look("alerts", ready=1))
    assert found["platform.writer", "platform.ready"] == 0
    assert found["platform.alerts", "platform.ready"] == 1
    assert ("platform.writer", "platform.clock_skew") not in found


def test_what_a_process_that_is_gone_had_stored_grows_old() -> None:
    watch, moment = Watch(), NOW.timestamp()
    found = watch.see(look("writer", stored_0=moment, stored_1=moment + 8))
    assert found["platform", "platform.storing_delay"] == 10
    assert watch.see(Look("writer", None))["platform", "platform.storing_delay"] == 20
    # Its partitions are another writer's now; the first one's last word counts no more.
    found = watch.see(look("writer-2", stored_0=moment + 28, stored_1=moment + 28))
    assert found["platform", "platform.storing_delay"] == 2


def test_a_share_counts_neither_what_was_before_nor_the_watchs_own_readings() -> None:
    watch = Watch()
    first = watch.see(look("city", accepted=5_000, waiting=900))
    assert first["platform", "platform.quarantine_share"] == 0
    watch.own.accepted = 40
    found = watch.see(look("city", accepted=5_000 + 160 + 40, waiting=940))
    assert found["platform", "platform.quarantine_share"] == 20  # 40 of 160 + 40


def test_only_its_own_readings_come_and_nothing_is_set_aside_is_no_share() -> None:
    watch = Watch()
    watch.see(look("city", accepted=0, waiting=0))
    watch.own.accepted = 500
    found = watch.see(look("city", accepted=500, waiting=1))
    assert found["platform", "platform.quarantine_share"] == 1  # of at least a hundred


def test_a_process_that_begins_anew_counts_from_nothing() -> None:
    watch = Watch()
    watch.see(look("city", accepted=1_000, waiting=0))
    watch.see(look("city", accepted=150, waiting=0))
    found = watch.see(look("city", accepted=150, waiting=50))
    assert found["platform", "platform.quarantine_share"] == 25


def test_failures_are_those_of_the_platform_not_of_whoever_floods_it() -> None:
    watch = Watch()
    watch.see(look("gateway", overload=0, quota=0))
    watch.own.failed = 1
    found = watch.see(look("gateway", overload=31, quota=1_000))
    assert found["platform", "platform.request_failures"] == 30


def test_a_backup_is_as_old_as_its_last_receiver() -> None:
    watch = Watch()
    assert watch.see(look("writer", receiving=1))["platform", "platform.backup_idle"] == 0
    assert watch.see(look("writer", receiving=0))["platform", "platform.backup_idle"] == 10
    assert ("platform", "platform.backup_idle") not in Watch().see(look("writer"))


def test_disk_and_endpoints() -> None:
    found = Watch().see(look("alerts", free=20.0, size=80.0, failing=2.0))
    assert found["platform.alerts", "platform.disk_free"] == 25
    assert found["platform", "platform.endpoints_failing"] == 2


def test_every_figure_is_a_metric_of_the_catalogue() -> None:
    ours = {code for code, one in default_catalogue().items() if one.domain == "platform"}
    assert ours == {*OF_A_PROCESS, *OF_THE_WHOLE}


@pytest.mark.parametrize(
    ("away", "least", "most"), [(0, 0, 0), (0.9, 0, 0), (5, 3.9, 5), (-5, 3.9, 5)]
)
def test_a_clock_is_compared_as_far_as_whole_seconds_tell(
    away: float, least: float, most: float
) -> None:
    date = format_datetime(NOW + timedelta(seconds=away), usegmt=True)
    assert least <= skew(date, NOW, NOW + timedelta(milliseconds=20)) <= most


def test_no_date_is_no_skew() -> None:
    assert skew("", NOW, NOW) == 0
