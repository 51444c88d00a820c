"""A real Apache Kafka broker (KRaft), from its Maven artifacts: one node, or one of several."""

import re
import shutil
import socket
import subprocess
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from deploy.local.cache import CACHE, building
from deploy.local.process import Handle, is_alive, launch, say, tail
from shared.errors import Misconfigured, Unavailable
from shared.pause import until
from shared.store.embedded import free_port

START_SECONDS = 120.0
_POM = Path(__file__).parent / "pom.xml"
_PROPERTIES = """\
# One machine and no flush by count: what is acknowledged outlives the broker's death, since the
# kernel has it, but not the machine's. Production replicates instead (3 copies, 2 in sync).
process.roles=broker,controller
node.id={node}
controller.quorum.voters={voters}
listeners={protocol}://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}{listeners}
advertised.listeners={protocol}://127.0.0.1:{port}{advertised}
inter.broker.listener.name={protocol}
controller.listener.names=CONTROLLER
listener.security.protocol.map={protocol}:{protocol},CONTROLLER:PLAINTEXT{protocols}
log.dirs={folder}/log
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=8
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
group.initial.rebalance.delay.ms=0
log.retention.check.interval.ms=60000
log.segment.bytes=134217728
message.max.bytes=16777216
replica.fetch.max.bytes=16777216
"""


@dataclass(frozen=True)
class Access:
    """How clients come in: Kafka's name of the protocol, the properties that it needs, and the
    users (name → password) that may log in by SCRAM."""

    protocol: str = "PLAINTEXT"
    properties: Mapping[str, str] = field(default_factory=dict)
    users: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Member:
    """One node of several. `cluster`: its id; `controllers`: node → port of its controller."""

    node: int
    cluster: str
    controllers: Mapping[int, int]

    @property
    def voters(self) -> str:
        """As the properties name them."""
        return ",".join(f"{node}@127.0.0.1:{port}" for node, port in self.controllers.items())


def reason_it_cannot_run() -> str | None:
    """None when Kafka can be started here, else what is missing and how to get it."""
    if java_version() < 17:
        return "Java 17 is missing (Debian: apt-get install openjdk-17-jre-headless)"
    if not _jars().exists() and shutil.which("mvn") is None:
        return "Maven is missing (Debian: apt-get install maven)"
    return None


def java_version() -> int:
    """Major version of the `java` on the PATH; 0 without one."""
    java = shutil.which("java")
    if java is None:
        return 0
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    found = re.search(r'version "(\d+)', said)
    return int(found[1]) if found else 0


def fetch_jars() -> Path:
    """The folder of the broker's jars; Maven fills it once."""
    jars = _jars()
    if jars.exists():
        return jars
    if shutil.which("mvn") is None:
        raise Misconfigured("Maven is missing (Debian: apt-get install maven)")
    with building(jars) as place:
        if place is not None:
            say("fetching Kafka's jars with Maven (once)")
            _copy_jars(place)
    return jars


def _copy_jars(place: Path) -> None:
    command = ["mvn", "-q", "-B", "-f", str(_POM), "dependency:copy-dependencies",
               f"-DoutputDirectory={place}"]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Unavailable(f"Maven could not fetch Kafka:\n{done.stdout[-2000:]}")


def start(
    folder: Path,
    doors: Mapping[int, int] | None = None,
    access: Access | None = None,
    member: Member | None = None,
) -> tuple[Handle, str]:
    """Start a broker on `folder`: its process and bootstrap address. See `wait_ready`.

    `doors`: further ports to listen on, each with the port that its clients are told to come to.
    `member`: of which cluster; None: of its own.
    """
    access = access or Access()
    jars = fetch_jars()
    folder.mkdir(parents=True, exist_ok=True)
    properties = folder / "server.properties"
    port, controller = _ports(properties)
    member = member or Member(1, new_id(), {1: controller})
    common = _PROPERTIES.format(
        folder=folder.resolve(), port=port, protocol=access.protocol, node=member.node,
        controller=member.controllers[member.node], voters=member.voters, **_doors(doors or {}),
    )  # fmt: skip
    own = "".join(f"{name}={value}\n" for name, value in access.properties.items())
    properties.write_text(common + own)
    if not (folder / "log" / "meta.properties").exists():
        _format(jars, folder, properties, access.users, member.cluster)
    say("starting Kafka")
    command = _java(jars, "kafka.Kafka", str(properties.resolve()))
    return launch(command, folder / "broker.log"), f"127.0.0.1:{port}"


def wait_ready(process: Handle, folder: Path) -> None:
    """Until the broker takes connections. Raises `Unavailable` with the end of its log."""
    port, _ = _known_ports(folder / "server.properties")
    until(lambda: _listens(port) or not is_alive(process), START_SECONDS)
    if not (is_alive(process) and _listens(port)):
        raise Unavailable(f"Kafka did not start:\n{tail(folder / 'broker.log')}")


def _doors(doors: Mapping[int, int]) -> dict[str, str]:
    """What the properties say of them."""
    return {
        "listeners": "".join(f",DOOR_{port}://127.0.0.1:{port}" for port in doors),
        "advertised": "".join(f",DOOR_{port}://127.0.0.1:{told}" for port, told in doors.items()),
        "protocols": "".join(f",DOOR_{port}:PLAINTEXT" for port in doors),
    }


def _ports(properties: Path) -> tuple[int, int]:
    """The ones of last time if they are free: clients then find a restarted broker again."""
    port, controller = _known_ports(properties)
    return free_port(port), free_port(controller)


def _known_ports(properties: Path) -> tuple[int, int]:
    text = properties.read_text() if properties.exists() else ""
    found = re.search(r"^listeners=\D+://127\.0\.0\.1:(\d+),\D+://127\.0\.0\.1:(\d+)\b", text, re.M)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def new_id() -> str:
    """Of a cluster."""
    return urlsafe_b64encode(uuid4().bytes).decode().rstrip("=").replace("-", "_")


def _format(
    jars: Path, folder: Path, properties: Path, users: Mapping[str, str], cluster: str
) -> None:
    shutil.rmtree(folder / "log", ignore_errors=True)
    config = str(properties.resolve())
    scram = [
        word
        for name, password in users.items()
        for word in ("--add-scram", f"SCRAM-SHA-512=[name={name},password={password}]")
    ]
    command = _java(jars, "kafka.tools.StorageTool", "format", "-t", cluster, "-c", config, *scram)
    done = subprocess.run(command, capture_output=True, text=True, cwd="/", check=False)
    if done.returncode != 0:
        raise Unavailable(f"Kafka's storage could not be made: {done.stderr[-1500:]}")


def _java(jars: Path, main: str, *arguments: str) -> list[str]:
    """Serial collection: on a small heap its pauses are short, and G1's threads and barriers cost
    the broker up to twice the CPU per request (and it minds records of many megabytes)."""
    return [
        "java", "-Xms256m", "-Xmx768m", "-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError",
        "-Djava.awt.headless=true",
        "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", f"{jars}/*", main, *arguments,
    ]  # fmt: skip


def _jars() -> Path:
    found = re.search(r"<artifactId>kafka_2.13</artifactId><version>([^<]+)<", _POM.read_text())
    return CACHE / f"kafka-{found[1] if found else 'unknown'}"


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
