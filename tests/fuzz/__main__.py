"""`python -m tests.fuzz --payloads 1000000 --seed 7`: malformed payloads at every ingest door of a
city of its own, and garbage in `city.inbox`. Exit code 1 on a failure of ours, a hang, or insides
shown."""

import argparse
import asyncio
import random
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from shared.clock import monotonic
from shared.contracts.topics import INBOX
from shared.eventlog.log import EventLog
from shared.eventlog.postgres import PostgresLog
from tests.fuzz.garbage import records
from tests.fuzz.payloads import requests
from tests.fuzz.sender import Count, Sender
from tests.product import Product
from tests.waiting import eventually

CONNECTIONS = 32
TO_INBOX = 0.05  # of the payloads
RECORDS_AT_ONCE = 500
DRAIN_SECONDS = 600.0
TELL_SECONDS = 60.0


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--payloads", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="yiwang-fuzz-") as folder:
        product = Product(Path(folder)).start()
        try:
            faults = fuzz(product, arguments.payloads, arguments.seed)
        finally:
            product.stop()
    sys.exit(1 if faults else 0)


def fuzz(product: Product, payloads: int, seed: int) -> Sequence[str]:
    """What must not be; prints the counts."""
    with product.client() as client:
        body = {"metrics": ["water.level"], "location": {"lon": 112.47, "lat": 23.05}}
        client.put("/v1/sensors/gauge-1", json=body).raise_for_status()
    started = monotonic()
    count, drained = asyncio.run(_everything(product, payloads, seed))
    seconds = monotonic() - started
    faults = [f"{kind}: {example}" for kind, example in sorted(count.faults.items())]
    if not drained:
        faults.append("city.inbox is not worked off: garbage stops the normaliser")
    failed = [line for line in product.log.read_text(errors="replace").splitlines()
              if "Traceback" in line]  # fmt: skip
    faults += [f"the log shows a failure: {line[:200]} … {line[-1000:]}" for line in failed[:3]]
    print(f"seed {seed}: {count.sent} payloads in {seconds:.0f} s, {count.sent / seconds:.0f}/s")
    for status, number in sorted(count.statuses.items()):
        print(f"  {status or 'hung up'}  {number}")
    for fault in faults:
        print(f"FAULT {fault}")
    return faults


async def _everything(product: Product, payloads: int, seed: int) -> tuple[Count, bool]:
    count, key = Count(), str(product.credentials["api_key"]).encode()
    to_inbox = int(payloads * TO_INBOX)
    log = await PostgresLog(product.database_url()).open()
    try:
        share, rest = divmod(payloads - to_inbox, CONNECTIONS)
        senders = [
            Sender(product.port, count).send(
                requests(random.Random(f"{seed}/{n}"), key), share + (n < rest)
            )
            for n in range(CONNECTIONS)
        ]
        telling = asyncio.create_task(_tell(count))
        await asyncio.gather(*senders, _produce(log, to_inbox, seed, key))
        telling.cancel()
        count.sent += to_inbox
        return count, await eventually(lambda: _worked_off(log), DRAIN_SECONDS)
    finally:
        await log.close()


async def _tell(count: Count) -> None:
    """How far it is, now and then: a million takes a while."""
    while True:
        await asyncio.sleep(TELL_SECONDS)
        print(f"  {count.sent} sent, {len(count.faults)} kinds of faults", flush=True)


async def _produce(log: EventLog, number: int, seed: int, key: bytes) -> None:
    garbage = records(random.Random(seed), key)
    while number > 0:
        batch = [next(garbage) for _ in range(min(number, RECORDS_AT_ONCE))]
        await log.publish(batch)
        number -= len(batch)


async def _worked_off(log: EventLog) -> bool:
    return await log.lag(INBOX, "normaliser") == 0


if __name__ == "__main__":
    main()
