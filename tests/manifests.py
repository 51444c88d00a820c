"""Processes as the manifests start them: command and environment are read from there, addresses are
replaced by this machine's."""

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from deploy.local.city import SERVICES
from tests.shape import ROOT, Shape

COMPOSE = ROOT / "deploy" / "compose" / "compose.yaml"
BASE = ROOT / "deploy" / "kubernetes" / "base"
# What a container has besides; nothing of ours.
PLAIN = ("PATH", "HOME", "LANG", "VIRTUAL_ENV")

Process = tuple[list[str], dict[str, str]]  # words after `python -m`, environment


@dataclass
class Declared(Shape):
    """`wanted`: process → (words after `python -m`, environment), as a manifest says."""

    wanted: Mapping[str, Process] | None = None

    def command(self, name: str) -> list[str]:
        """As it is declared."""
        assert self.wanted is not None
        return [sys.executable, "-m", *self.wanted[name][0]]

    def environment(self, name: str) -> dict[str, str]:
        """As it is declared, with addresses of this machine, and nothing that we have besides."""
        assert self.wanted is not None
        here = super().environment(name)
        plain = {key: os.environ[key] for key in PLAIN if key in os.environ}
        declared = with_addresses(self.wanted[name][1], here)
        assert "YIWANG_DATA_DIR" in declared, "a folder nobody set"
        declared["YIWANG_DATA_DIR"] = str(self.data_dir)
        return plain | {key: self._here(value) for key, value in declared.items()}

    def _here(self, value: str) -> str:
        """Paths and addresses of a container → of this machine."""
        if value.startswith("postgresql://"):
            return self.database_url
        value = re.sub(r"^/(data|run/yiwang)/roles", str(self.data_dir / "roles"), value)
        return value.replace("/run/yiwang/database/url", str(self.data_dir / "owner"))


def with_addresses(declared: Mapping[str, str], here: Mapping[str, str]) -> dict[str, str]:
    """What a manifest says, with addresses of this machine; `here`: see `Shape.environment`."""
    replaced = {
        "YIWANG_HOST": "127.0.0.1",
        "YIWANG_PORT": here["YIWANG_PORT"],
        "YIWANG_KAFKA_BOOTSTRAP": here["YIWANG_KAFKA_BOOTSTRAP"],
        "YIWANG_TRUSTED_PROXIES": "127.0.0.1",
    }
    assert replaced.keys() - {"YIWANG_PORT"} <= declared.keys(), "an address nobody set"
    return {**declared, **replaced}


def of_compose() -> dict[str, Process]:
    """Every process of ours in the compose file."""
    services = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["services"]
    return {
        name: (services[name]["command"], dict(services[name]["environment"]))
        for name in ("setup", *SERVICES)
    }


def of_kubernetes() -> dict[str, Process]:
    """Every process of ours in the manifests."""
    found = {}
    settings = document("settings")["data"]
    for name in ("setup", *SERVICES):
        declared = container(name)
        own = {entry["name"]: entry["value"] for entry in declared["env"]}
        found[name] = (declared["args"], settings | own)
    return found


def container(name: str) -> dict[str, Any]:
    """The one container of a Deployment or Job."""
    found: dict[str, Any]
    [found] = document(name)["spec"]["template"]["spec"]["containers"]
    return found


def document(name: str) -> dict[str, Any]:
    """The first document of a file: a Deployment, the Job, the ConfigMap."""
    first: dict[str, Any] = next(yaml.safe_load_all((BASE / f"{name}.yaml").read_text()))
    return first


def prepare(folder: Path, database_url: str) -> None:
    """What a cluster's secret would hold."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "owner").write_text(database_url)
