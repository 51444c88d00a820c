"""Production's shape in containers of the image: each process as its manifest starts it, with its
user, file system and memory. Only addresses are this machine's, whose network they share."""

import os
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import yaml

from shared.errors import Unavailable
from tests.image import Image
from tests.manifests import COMPOSE, Process, document, with_addresses
from tests.shape import Shape

USER = 10001

Options = Callable[[str, Path], list[str]]


@dataclass
class Contained(Shape):
    """`options`: (process, data directory) → the engine's words for what its manifest says."""

    image: Image = field(kw_only=True)
    wanted: Mapping[str, Process] = field(kw_only=True)
    options: Options = field(kw_only=True)
    run_id: str = field(default_factory=lambda: uuid4().hex[:8])

    def __post_init__(self) -> None:
        for path in (self.data_dir, self.data_dir / "owner"):
            os.chown(path, USER, USER)

    def command(self, name: str) -> list[str]:
        """The engine's, in the foreground: its signals and its end are the process's."""
        words, declared = self.wanted[name]
        settings = with_addresses(declared, self._own(name))
        if "YIWANG_DATABASE_URL" in settings:
            settings["YIWANG_DATABASE_URL"] = self.database_url
        given = [f"--env={key}={value}" for key, value in settings.items()]
        fixed = [f"--name={self._container(name)}", "--network=host"]
        options = self.options(name, self.data_dir)
        return self.image.starting(*fixed, *given, *options) + words

    def environment(self, name: str) -> dict[str, str]:
        """The engine's own: a container inherits nothing of it."""
        return dict(os.environ)

    def end(self, name: str, number: signal.Signals = signal.SIGTERM) -> None:
        """As ever; nothing stays behind where the engine's client alone was killed."""
        super().end(name, number)
        with suppress(Unavailable):
            self.image.engine.run("rm", "--force", self._container(name))

    def _own(self, name: str) -> dict[str, str]:
        return super().environment(name)

    def _container(self, name: str) -> str:
        return f"yiwang-{self.run_id}-{name.replace('_', '-')}"


def as_compose_says(name: str, data_dir: Path) -> list[str]:
    """What is written beside command and environment; the user is the image's."""
    service = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["services"][name]
    places = {"state": data_dir}
    volumes = [volume.split(":") for volume in service["volumes"]]
    return [
        *(["--read-only"] if service["read_only"] else []),
        *(f"--tmpfs={place}" for place in service["tmpfs"]),
        *(f"--volume={places[source]}:{target}" for source, target in volumes),
    ]


def as_kubernetes_says(name: str, data_dir: Path) -> list[str]:
    """User, rights, memory and volumes of a pod. What setup leaves is what the secrets hold."""
    pod = document(name)["spec"]["template"]["spec"]
    [container] = pod["containers"]
    rights, user = container["securityContext"], pod["securityContext"]["runAsUser"]
    memory = container["resources"]["limits"]["memory"].replace("Gi", "g").replace("Mi", "m")
    return [
        f"--user={user}:{user}",
        f"--memory={memory}",
        *(f"--cap-drop={right}" for right in rights["capabilities"]["drop"]),
        *(["--read-only"] if rights["readOnlyRootFilesystem"] else []),
        *([] if rights["allowPrivilegeEscalation"] else ["--security-opt=no-new-privileges"]),
        *_mounts(name, container, pod["volumes"], data_dir),
    ]


def _mounts(
    name: str, container: dict[str, Any], volumes: list[dict[str, Any]], data_dir: Path
) -> Iterator[str]:
    known = {volume["name"]: volume for volume in volumes}
    for mount in container["volumeMounts"]:
        volume, target = known[mount["name"]], mount["mountPath"]
        if "secret" in volume:
            yield from _files(volume["secret"], target, data_dir)
        elif target == "/tmp":
            yield f"--tmpfs={target}"
        else:
            yield f"--volume={_folder(name, volume, data_dir)}:{target}"


def _files(secret: dict[str, Any], target: str, data_dir: Path) -> Iterator[str]:
    """A secret's keys as files: all of it, or the items that are named."""
    if secret["secretName"] == "yiwang-database":
        yield f"--volume={data_dir / 'owner'}:{target}/url:ro"
        return
    for item in secret["items"]:
        yield f"--volume={data_dir / 'roles' / item['key']}:{target}/{item['path']}:ro"


def _folder(name: str, volume: dict[str, Any], data_dir: Path) -> Path:
    """Setup's is kept; every other pod has one of its own."""
    if "persistentVolumeClaim" in volume:
        return data_dir
    own = data_dir / "pods" / name
    own.mkdir(parents=True, exist_ok=True)
    os.chown(own, USER, USER)
    return own
