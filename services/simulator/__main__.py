"""Sources of readings: `python -m services.simulator city`, `… replay FILE --mapping M.yaml`."""

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from services.simulator.app import (
    CityOptions,
    ReplayOptions,
    Target,
    run_city,
    run_replay,
)
from services.simulator.scenarios import Kind
from services.simulator.table import Span
from shared import logs
from shared.credentials import first_key
from shared.errors import Misconfigured
from shared.eventlog.kafka_access import access_of
from shared.settings import Settings

CITY_STATUS_SECONDS = 10.0
T = TypeVar("T")


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point; what is wrong with options or files ends it with one clear line."""
    options = parser().parse_args(arguments)
    settings = Settings()
    logs.configure(settings.log_level)
    try:
        sys.exit(options.command(options, settings))
    except Misconfigured as error:
        sys.exit(f"simulator: {error}")


def city(options: argparse.Namespace, settings: Settings) -> int:
    """The command `city`."""
    target = _target(options, settings)
    chosen = CityOptions(
        url=target.url,
        key=target.key,
        kafka=target.kafka,
        speed=options.speed,
        seed=options.seed,
        scenario=None if options.scenario is None else _scenario(options.scenario),
        at=options.at,
        duration=options.duration,
        sensors=options.sensors,
        start=options.start,
        run_for=options.run_for,
        access=target.access,
    )
    _until_signal(lambda stop: run_city(chosen, stop, say=_say, status_seconds=CITY_STATUS_SECONDS))
    return 0


def replay(options: argparse.Namespace, settings: Settings) -> int:
    """The command `replay`; its last line on standard output is a summary in JSON."""
    chosen = ReplayOptions(
        file=options.file,
        mapping=options.mapping,
        target=_target(options, settings),
        speed=options.speed,
        batch=options.batch,
        lanes=options.in_flight,
        span=Span(options.since, options.until),
        limit_rows=options.limit_rows,
        resume_file=options.resume_file,
        receipts=options.receipts,
    )
    summary: dict[str, Any] = _until_signal(lambda stop: run_replay(chosen, stop, _say))
    print(json.dumps(summary, ensure_ascii=False), flush=True)
    return 0 if summary["complete"] else 1


def parser() -> argparse.ArgumentParser:
    """The command line."""
    root = argparse.ArgumentParser(prog="python -m services.simulator", description=__doc__)
    commands = root.add_subparsers(required=True, metavar="city|replay")
    _add_city(commands.add_parser("city", help="a city that behaves like one"))
    _add_replay(commands.add_parser("replay", help="send a recorded CSV file"))
    return root


def _add_city(add: argparse.ArgumentParser) -> None:
    _add_target(add)
    add.add_argument("--seed", type=int, default=1, help="another seed, another city")
    add.add_argument("--speed", type=_positive, default=1.0, help="simulated seconds in a real one")
    add.add_argument("--scenario", choices=[*Kind, "calm"], help="default: a gentle programme")
    add.add_argument("--at", type=int, default=30, help="start of the scenario, seconds")
    add.add_argument("--duration", type=int, default=0, help="of the scenario, seconds")
    add.add_argument("--sensors", type=_count, default=1200)
    add.add_argument("--start", type=_moment, help="simulated time to start at (ISO, with offset)")
    add.add_argument("--run-for", type=_count, help="simulated seconds; default: until stopped")
    add.set_defaults(command=city)


def _add_replay(add: argparse.ArgumentParser) -> None:
    add.add_argument("file", type=Path, help="CSV, plain or .gz")
    add.add_argument("--mapping", type=Path, required=True, help="what its columns mean (YAML)")
    _add_target(add)
    add.add_argument("--speed", type=_pace, default=None, help="times real time, or max (default)")
    add.add_argument("--batch", type=_count, default=500, help="readings in a request")
    add.add_argument("--in-flight", type=_count, default=4, help="requests at a time")
    add.add_argument("--from", dest="since", type=_moment, help="first time to send")
    add.add_argument("--until", type=_moment, help="first time not to send any more")
    add.add_argument("--limit-rows", type=_count, help="stop after so many rows of the file")
    add.add_argument("--resume-file", type=Path, help="goes on where it ended, kept here")
    add.add_argument("--receipts", type=Path, help="append every acknowledged batch to this file")
    add.set_defaults(command=replay)


def _add_target(add: argparse.ArgumentParser) -> None:
    add.add_argument("--url", help="default: from YIWANG_HOST and YIWANG_PORT")
    add.add_argument("--key", help="default: the first key in <YIWANG_DATA_DIR>/credentials.json")
    add.add_argument("--via", choices=["http", "kafka"], default="http")
    add.add_argument("--kafka", metavar="HOST:PORT", help="default: YIWANG_KAFKA_BOOTSTRAP")


def _target(options: argparse.Namespace, settings: Settings) -> Target:
    kafka: str | None = options.kafka or settings.kafka_bootstrap
    if options.via == "kafka" and not kafka:
        raise Misconfigured("--via kafka needs --kafka HOST:PORT (or YIWANG_KAFKA_BOOTSTRAP)")
    return Target(
        url=(options.url or settings.address).rstrip("/"),
        key=options.key or first_key(settings),
        kafka=kafka if options.via == "kafka" else None,
        access=access_of(settings) if options.via == "kafka" else {},
    )


def _until_signal(run: Callable[[asyncio.Event], Awaitable[T]]) -> T:
    async def work() -> T:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        return await run(stop)

    return asyncio.run(work())


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _scenario(name: str) -> Any:
    return name if name == "calm" else Kind(name)


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise argparse.ArgumentTypeError(f"'{text}' needs an offset, such as +08:00 or Z")
    return moment


def _pace(text: str) -> float | None:
    return None if text == "max" else _positive(text)


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"'{text}' is not above 0")
    return value


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not at least 1")
    return value


if __name__ == "__main__":
    main()
