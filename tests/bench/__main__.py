"""`python -m tests.bench [NAME…] [--quick]`: each prints one JSON line."""

import argparse
import signal
import sys
from collections.abc import Callable

from tests.bench import (
    alert_to_webhook,
    backlog,
    browser,
    cities,
    console_bundle,
    console_flood,
    dead_endpoints,
    export,
    fairness,
    fanout,
    first_paint,
    first_start,
    footprint,
    growth,
    history,
    image,
    ingest,
    observing,
    post_to_paint,
    post_to_screen,
    reconnect_storm,
    related,
    restart,
    revocation,
    rules,
    scaling,
    single_post,
    soak,
    sustained,
)

ON_KAFKA = (
    "ingest_kafka", "writer_backlog", "memory", "cpu_growth", "scaling", "single_post",
    "single_post_city", "alert_to_webhook", "dead_endpoints",
)  # fmt: skip
IN_A_BROWSER = ("post_to_paint", "soak")
BENCHES: dict[str, Callable[[bool], str]] = {
    "ingest_embedded": lambda quick: ingest.run("ingest_embedded", cities.embedded, quick),
    "ingest_kafka": sustained.run,
    "writer_backlog": backlog.run,
    "memory": backlog.run_memory,
    "cpu_growth": growth.run,
    "scaling": scaling.run,
    "single_post": lambda quick: single_post.run("single_post", cities.border, quick),
    "single_post_city": lambda quick: single_post.run("single_post_city", cities.kafka, quick),
    "single_post_embedded": lambda quick: single_post.run(
        "single_post_embedded", cities.embedded, quick
    ),
    "fairness": fairness.run_bench,
    "post_to_screen": post_to_screen.run,
    "fanout": fanout.run,
    "reconnect_storm": reconnect_storm.run,
    "post_to_paint": post_to_paint.run,
    "soak": soak.run,
    "browser": browser.run,
    "first_paint": first_paint.run,
    "first_start": first_start.run,
    "observing": observing.run,
    "footprint": footprint.run,
    "image": image.run,
    "history": history.run,
    "export": export.run,
    "related": related.run,
    "alert_to_webhook": alert_to_webhook.run,
    "dead_endpoints": dead_endpoints.run,
    "console_flood": console_flood.run,
    "console_bundle": console_bundle.run,
    "rule_engine": rules.run,
    "rule_restart": restart.run,
    "revocation": revocation.run,
}


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("name", nargs="*", help=", ".join(BENCHES))
    parser.add_argument("--quick", action="store_true", help="one short round")
    arguments = parser.parse_args()
    unknown = set(arguments.name) - set(BENCHES)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(BENCHES)}")
    signal.signal(signal.SIGTERM, _leave)
    for name in arguments.name or BENCHES:
        reason = cities.reason_kafka_cannot_run() if name in ON_KAFKA else None
        if name == "image":
            reason = image.reason_it_cannot_run()
        if name in IN_A_BROWSER:
            reason = post_to_paint.reason_it_cannot_run()
        if reason:
            print(f"NOT MEASURED HERE  {name}: {reason}", file=sys.stderr)
            continue
        print(BENCHES[name](arguments.quick), flush=True)


def _leave(number: int, _frame: object) -> None:
    """Unwind, so that everything that was started is ended."""
    sys.exit(128 + number)


if __name__ == "__main__":
    main()
