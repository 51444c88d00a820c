"""`python -m services.ops_center audit verify`: are the audit logs as they were written?"""

import argparse
import asyncio
import sys
from collections.abc import Sequence

from services.ops_center.people.trail import Trail
from shared.settings import Settings
from shared.store.audit import Verdict
from shared.store.engine import make_engine


def main(arguments: Sequence[str]) -> int:
    """0: every row is as it was written; 1: one is not, or is missing; 2: a wrong command."""
    parser = argparse.ArgumentParser(
        prog="python -m services.ops_center audit", description=__doc__
    )
    parser.add_argument("command", choices=("verify",))
    parser.add_argument("--database-url", default=Settings().database_url)
    parser.add_argument(
        "--head", action="append", default=[], metavar="CHAIN:SEQ:HASH",
        help="a head that an earlier run printed: it must still be there",
    )  # fmt: skip
    given = parser.parse_args(arguments)
    if given.database_url is None:
        parser.error("name the database: YIWANG_DATABASE_URL or --database-url")
    if any(head.count(":") != 2 for head in given.head):
        parser.error("--head is CHAIN:SEQ:HASH, as this command prints it")
    found = asyncio.run(_verified(given.database_url, given.head))
    for chain, verdict in found.items():
        sys.stdout.write(f"{chain}: {verdict.fault or 'intact'}, {verdict.rows} rows\n")
        sys.stdout.write(f"  head {chain}:{verdict.head}\n")
    return 1 if any(verdict.fault for verdict in found.values()) else 0


async def _verified(url: str, heads: Sequence[str]) -> dict[str, Verdict]:
    engine = make_engine(url, pool_size=1)
    try:
        return await Trail(engine).verified(heads)
    finally:
        await engine.dispose()
