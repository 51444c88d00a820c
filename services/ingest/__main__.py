"""`python -m services.ingest gateway|normaliser|writer|mqtt|seed|all`: a process of its own."""

import argparse
import asyncio

from services.ingest import app
from services.ingest.registry.seed import seed
from shared.errors import Misconfigured
from shared.runtime import run_process
from shared.settings import Settings
from shared.store.engine import make_engine

BUILDS = {
    "gateway": app.build_gateway,
    "normaliser": app.build_normaliser,
    "writer": app.build_writer,
    "mqtt": app.build_mqtt,
    "all": app.build,
}


def main() -> None:
    """Run the part that is named."""
    parser = argparse.ArgumentParser(prog="python -m services.ingest", description=__doc__)
    parser.add_argument("part", choices=[*BUILDS, "seed"], nargs="?", default="all")
    part = parser.parse_args().part
    if part == "seed":
        asyncio.run(_seed(Settings()))
    else:
        run_process(BUILDS[part])


async def _seed(settings: Settings) -> None:
    if settings.database_url is None:
        raise SystemExit("YIWANG_DATABASE_URL is not set")
    engine = make_engine(settings.database_url)
    try:
        print(f"{await seed(engine, settings)} sensors made")
    except Misconfigured as error:
        raise SystemExit(str(error)) from error
    finally:
        await engine.dispose()


if __name__ == "__main__":
    main()
