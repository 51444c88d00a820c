"""`python -m deploy.local up|down|status|city`: real Kafka and TimescaleDB on this machine."""

import argparse
import signal
import sys
from pathlib import Path

from deploy.local import city, parts
from shared.errors import YiwangError
from shared.settings import load


def main() -> None:
    """Entry point; prints the two variables on standard output, progress on standard error."""
    parser = argparse.ArgumentParser(prog="python -m deploy.local", description=__doc__)
    parser.add_argument("command", choices=("up", "down", "status", "city"))
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
    except YiwangError as error:
        sys.exit(f"yiwang: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


def show(addresses: dict[str, str]) -> int:
    """Print what runs as shell assignments; 0 when both parts do."""
    variables = {"kafka": "YIWANG_KAFKA_BOOTSTRAP", "database": "YIWANG_DATABASE_URL"}
    for name, variable in variables.items():
        print(f"{variable}={addresses[name]}" if name in addresses else f"# {name}: not running")
    return 0 if len(addresses) == len(variables) else 3


if __name__ == "__main__":
    main()
