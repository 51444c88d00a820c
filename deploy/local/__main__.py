"""`python -m deploy.local up|down|status|city`: real Kafka and TimescaleDB on this machine.

`backup FOLDER` copies the database and receives its log until Ctrl-C; `restore FOLDER` brings it
back where there is none.
"""

import argparse
import signal
import sys
from pathlib import Path

from deploy.local import backup, city, parts
from deploy.local.process import is_alive, say
from shared.errors import Unavailable, YiwangError
from shared.pause import until
from shared.settings import load

WATCH_SECONDS = 60.0


def main() -> None:
    """Entry point; prints the two variables on standard output, progress on standard error."""
    parser = argparse.ArgumentParser(prog="python -m deploy.local", description=__doc__)
    commands = ("up", "down", "status", "city", "backup", "restore")
    parser.add_argument("command", choices=commands)
    parser.add_argument("backup", type=Path, nargs="?", help="folder of a backup")
    parser.add_argument("--data-dir", type=Path, help="default: <YIWANG_DATA_DIR>/local")
    arguments = parser.parse_args()
    settings = load()
    folder = (arguments.data_dir or settings.data_dir / "local").resolve()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that it cleans up as well
    try:
        match arguments.command:
            case "up":
                started = parts.start(folder)
                show({"kafka": started.kafka_bootstrap, "database": started.database_url})
            case "down":
                parts.stop(folder)
            case "status":
                sys.exit(show(parts.status(folder)))
            case "city":
                sys.exit(city.run(settings, folder))
            case "backup":
                keep(folder, _named(parser, arguments.backup))
            case "restore":
                restored = backup.restore(_named(parser, arguments.backup), folder)
                show({"database": restored.database_url})
    except YiwangError as error:
        sys.exit(f"yiwang: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


def _named(parser: argparse.ArgumentParser, folder: Path | None) -> Path:
    if folder is None:
        parser.error("name the folder of the backup")
    return folder.resolve()


def keep(folder: Path, into: Path) -> None:
    """Back up until Ctrl-C. Raises `Unavailable` when the log ends."""
    receiver = backup.begin(folder, into)
    try:
        say(f"{into} has the base; receiving the log until Ctrl-C")
        while not until(lambda: not is_alive(receiver), WATCH_SECONDS):
            pass
        raise Unavailable(f"the log is not received any more: see {into / 'receive.log'}")
    finally:
        backup.stop(receiver)


def show(addresses: dict[str, str]) -> int:
    """Print what runs as shell assignments; 0 when both parts do."""
    variables = {"kafka": "YIWANG_KAFKA_BOOTSTRAP", "database": "YIWANG_DATABASE_URL"}
    for name, variable in variables.items():
        print(f"{variable}={addresses[name]}" if name in addresses else f"# {name}: not running")
    return 0 if len(addresses) == len(variables) else 3


if __name__ == "__main__":
    main()
