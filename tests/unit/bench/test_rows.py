"""The readings that benchmarks send."""

import json

from tests.bench import rows


def test_every_round_is_later_than_the_one_before() -> None:
    first, second = rows.rounds(1_000, 2)
    assert [moment for _, moment, _ in first][-1] == first.last
    assert first.last < second.start
    assert second.last < rows.now()


def test_no_two_readings_share_a_key() -> None:
    data = rows.rounds(1_000, 1)[0]
    assert len({(sensor, moment) for sensor, moment, _ in data}) == 1_000


def test_copy_and_post_carry_the_same_rows() -> None:
    data = rows.rounds(1_000, 1)[0]
    posted = [item for body in data.bodies() for item in json.loads(body)]
    copied = [line.split("\t") for line in data.text().decode().splitlines()]
    assert [[i["sensor_id"], i["metric"], i["observed_at"], str(i["value"])] for i in posted] == [
        line[:4] for line in copied
    ]
