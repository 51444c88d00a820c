"""Readings of the platform about itself: `python -m services.watch NAME=URL …`, one per process."""

import argparse
import asyncio
import signal
import sys
from collections.abc import Sequence

from services.watch.rounds import EVERY_SECONDS, Rounds
from shared import logs
from shared.credentials import first_key
from shared.errors import Misconfigured
from shared.settings import Settings


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point; what is wrong with the options ends it with one clear line."""
    settings = Settings()
    options = parser().parse_args(arguments)
    logs.configure(settings.log_level)
    try:
        key = options.key or first_key(settings)
    except Misconfigured as error:
        sys.exit(f"watch: {error}")
    url = (options.url or settings.address).rstrip("/")
    rounds = Rounds(dict(options.processes), url, key, every_seconds=options.every)
    asyncio.run(_until_signal(rounds))


def parser() -> argparse.ArgumentParser:
    """The command line."""
    root = argparse.ArgumentParser(prog="python -m services.watch", description=__doc__)
    root.add_argument("processes", nargs="+", type=_process, metavar="NAME=URL")
    root.add_argument("--url", help="where readings go; default: from YIWANG_HOST and YIWANG_PORT")
    root.add_argument("--key", help="default: the first key in <YIWANG_DATA_DIR>/credentials.json")
    root.add_argument("--every", type=float, default=EVERY_SECONDS, help="seconds between rounds")
    return root


def _process(text: str) -> tuple[str, str]:
    name, equals, url = text.partition("=")
    if not (name and equals and url):
        raise argparse.ArgumentTypeError(f"'{text}' is not NAME=URL")
    return name, url.rstrip("/")


async def _until_signal(rounds: Rounds) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await rounds.run(stop)


if __name__ == "__main__":
    main()
