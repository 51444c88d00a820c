"""`python -m tests.chaos --faults 200 [--seed 7]`: see docs/chaos.md. Exit 1: a broken promise."""

import argparse
import json
import secrets
import shutil
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from deploy.local import parts
from shared.clock import monotonic
from tests.bench import report
from tests.chaos import memory
from tests.chaos.checker import Breach, check, percentile
from tests.chaos.disk import Disk
from tests.chaos.evidence import Evidence, load
from tests.chaos.namespace import Namespace
from tests.chaos.run import running
from tests.chaos.schedule import Fault, Kind, draw


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--faults", type=int, default=200)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000))
    parser.add_argument("--only", nargs="*", type=Kind, default=list(Kind), help="kinds of faults")
    parser.add_argument("--keep", action="store_true", help="keep the evidence of a good run too")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that nothing stays behind
    reasons = [reason for reason in parts.available().values() if reason]
    if reasons:
        sys.exit(f"chaos needs real parts: {'; '.join(reasons)}")
    without = [kind for kind in Kind if kind not in arguments.only] + list(impossible())
    sys.exit(
        unleash(arguments.seed, draw(arguments.seed, arguments.faults, without), arguments.keep)
    )


def impossible() -> list[Kind]:
    """Kinds of faults that cannot happen here; says so."""
    apart = Namespace.reason_it_cannot_be()
    if apart is not None:
        print(
            f"NOT TESTED HERE  loss of packets (partitions are relays' then): {apart}", flush=True
        )
    reason = Disk.reason_it_cannot_be()
    if reason is not None:
        print(f"NOT TESTED HERE  a full disk: {reason}", flush=True)
    return [] if reason is None else [Kind.FULL]


def unleash(seed: int, faults: Sequence[Fault], keep: bool) -> int:
    """The run; 1 if a promise was not kept."""
    print(f"seed {seed}, {len(faults)} faults (again: make chaos FAULTS={len(faults)} SEED={seed})")
    for fault in faults:
        print(f"  {fault}")
    folder = Path(tempfile.mkdtemp(prefix=f"yiwang-chaos-{seed}-"))
    print(f"evidence in {folder}", flush=True)
    began = monotonic()
    with running(folder, len(faults)) as run:
        print(f"ready after {monotonic() - began:.0f} s", flush=True)
        run.suffer(faults, lambda line: print(line, flush=True))
        print("settling", flush=True)
        run.settle()
    found = load(folder)
    breaches = check(found)
    for breach in breaches:
        print(breach)
    print(summary(seed, found, breaches, monotonic() - began), flush=True)
    if breaches or keep:
        print(f"the evidence stays in {folder} (again: python -m tests.chaos.checker {folder})")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if breaches else 0


def summary(seed: int, found: Evidence, breaches: Sequence[Breach], seconds: float) -> str:
    """One line of JSON."""
    kinds = Counter(breach.kind for breach in breaches)
    recovered = sorted(
        r["recovered"] for r in found.journal("faults") if r["recovered"] is not None
    )
    hooks = [hook["id"] for hook in found.journal("hooks")]
    fields = {
        "chaos": seed,
        "faults": len(found.journal("faults")),
        "seconds": round(seconds),
        "batches": len(found.journal("posts")),
        "readings": len(found.table("readings")),
        "steps": len(found.table("timeline")),
        "webhooks": len(set(hooks)),
        "webhooks_repeated": len(hooks) - len(set(hooks)),
        "lost": kinds["lost"] + kinds["untold"],
        "doubled": kinds["doubled"],
        "diverged": kinds["diverged"] + kinds["unshown"],
        "breaches": dict(kinds),
        "refused": sum(client.get("refused", 0) for client in found.journal("clients")),
        "broken_connections": sum(client.get("broken", 0) for client in found.journal("clients")),
        "machine": report.machine(),
        "mib_at_most": memory.summary(found.journal("memory")),
    }
    if recovered:
        shares = {"p50": 0.5, "p95": 0.95, "max": 1.0}
        fields["recovery_s"] = {n: round(percentile(recovered, s), 1) for n, s in shares.items()}
    return json.dumps(fields)


if __name__ == "__main__":
    main()
