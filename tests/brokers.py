"""A Kafka of several brokers on this machine, each a controller too."""

import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from deploy.local import kafka
from deploy.local.process import end
from shared.store.embedded import free_port

STOP_SECONDS = 15.0


@contextmanager
def cluster(folder: Path, brokers: int) -> Iterator[tuple[str, dict[str, int]]]:
    """(bootstrap addresses, {"kafka-1": pid, …}). As production's: three copies of what Kafka keeps
    for itself, and no write is acknowledged that fewer than two have, where there are three."""
    nodes = range(1, brokers + 1)
    copies, in_sync = (3, 2) if brokers >= 3 else (1, 1)
    access = kafka.Access(properties={
        "offsets.topic.replication.factor": str(copies),
        "transaction.state.log.replication.factor": str(copies),
        "min.insync.replicas": str(in_sync),
    })  # fmt: skip
    name, controllers = kafka.new_id(), {node: free_port() for node in nodes}
    with ExitStack() as stack:
        started = {}
        for node in nodes:
            member = kafka.Member(node, name, controllers)
            place = folder / f"kafka-{node}"
            process, address = kafka.start(place, access=access, member=member)
            stack.callback(end, {process: signal.SIGTERM}, STOP_SECONDS)
            started[node] = (process, address, place)
        for process, _, place in started.values():
            kafka.wait_ready(process, place)
        addresses = ",".join(address for _, address, _ in started.values())
        yield addresses, {f"kafka-{node}": one[0].pid for node, one in started.items()}
