"""A library that repeats itself does not fill the disk."""

import logging

from shared.logs import Sparing


def record(name: str, created: float, message: str, *arguments: object) -> logging.LogRecord:
    made = logging.LogRecord(name, logging.ERROR, "", 0, message, arguments, None)
    made.created = created
    return made


def told(sparing: Sparing, *records: logging.LogRecord) -> list[str]:
    return [one.getMessage() for one in records if sparing.filter(one)]


def test_the_same_thing_is_said_once_in_a_while_and_counted() -> None:
    some = [record("aiokafka.conn", at / 10, "no connection to %s", at) for at in range(101)]
    assert told(Sparing("aiokafka", 10.0), *some) == [
        "no connection to 0",
        "no connection to 100 (and 99 like it)",
    ]


def test_other_things_and_other_loggers_are_said_as_ever() -> None:
    sparing = Sparing("aiokafka", 10.0)
    some = [
        record("aiokafka", 0.0, "one"),
        record("aiokafka", 0.1, "another"),
        record("aiokafka.conn", 0.2, "one"),
        record("services.ingest", 0.3, "ours"),
        record("services.ingest", 0.4, "ours"),
    ]
    assert told(sparing, *some) == ["one", "another", "one", "ours", "ours"]


def test_a_clock_that_jumps_back_silences_nobody() -> None:
    sparing = Sparing("aiokafka", 10.0)
    assert told(sparing, record("aiokafka", 500.0, "x"), record("aiokafka", 0.0, "x")) == ["x", "x"]
