"""The manifests are what Kubernetes takes, and start what production's shape starts."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import kubernetes_validate
import pytest
import yaml
from cloudcoil.models.keda import v1alpha1 as keda
from cloudcoil.models.prometheus_operator import v1 as monitoring

from deploy.local.city import SERVICES
from deploy.observability.rules import RESOURCE, resource
from services.alerts.engine.engine import GROUP as ALERTS_GROUP
from services.ingest.border.normaliser import GROUP as NORMALISER_GROUP
from services.ingest.storage.writer import GROUP as WRITER_GROUP
from services.watch.__main__ import parser
from shared.contracts.topics import TOPICS
from shared.settings import Settings
from tests.leaves import leaves
from tests.unit.deploy.test_front_door import DOOR

FOLDER = Path(__file__).parents[3] / "deploy" / "kubernetes"
VERSION = "1.34.0"
MODELS: dict[str, Any] = {
    "ScaledObject": keda.ScaledObject,
    "PodMonitor": monitoring.PodMonitor,
    "PrometheusRule": monitoring.PrometheusRule,
}
# Their schemas come with the operators alone: see test_operators.py.
UNKNOWN = {"Kafka", "KafkaNodePool", "Cluster", "ObjectStore", "ScheduledBackup", "Kustomization"}


def documents(pattern: str) -> Iterator[dict[str, Any]]:
    for file in sorted(FOLDER.glob(pattern)):
        yield from yaml.safe_load_all(file.read_text(encoding="utf-8"))


ALL = list(documents("*/*.yaml"))
DEPLOYMENTS = {
    one["metadata"]["name"]: one for one in documents("base/*.yaml") if one["kind"] == "Deployment"
}
SETTINGS = next(one["data"] for one in ALL if one["kind"] == "ConfigMap")


def names(document: dict[str, Any]) -> str:
    return f"{document['kind']}-{document.get('metadata', {}).get('name', '')}"


def pods() -> Iterator[tuple[str, dict[str, Any]]]:
    for one in ALL:
        if one["kind"] in ("Deployment", "Job"):
            yield one["metadata"]["name"], one["spec"]["template"]["spec"]


@pytest.mark.parametrize("document", ALL, ids=names)
def test_every_manifest_is_what_its_schema_says(document: dict[str, Any]) -> None:
    kind = document["kind"]
    if kind in MODELS:
        known = (
            MODELS[kind]
            .model_validate(document)
            .model_dump(mode="json", by_alias=True, exclude_unset=True)
        )
        assert paths(document) <= paths(known), "a field that the schema does not know"
    elif kind not in UNKNOWN:
        kubernetes_validate.validate(document, VERSION, strict=True)


def paths(value: Any) -> set[str]:
    """Of every value."""
    return {path for path, _ in leaves(value)}


def test_a_manifest_that_is_wrong_is_refused() -> None:
    wrong = yaml.safe_load(yaml.safe_dump(DEPLOYMENTS["gateway"]))
    wrong["spec"]["template"]["spec"]["containers"][0]["livenesProbe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, VERSION, strict=True)


@pytest.mark.parametrize("folder", ["base", "autoscaling", "observability", "watch"])
def test_every_file_is_named_by_its_kustomization(folder: str) -> None:
    listed = yaml.safe_load((FOLDER / folder / "kustomization.yaml").read_text())["resources"]
    files = {file.name for file in (FOLDER / folder).glob("*.yaml")} - {"kustomization.yaml"}
    assert set(listed) == files


def test_every_service_is_deployed_with_its_command_and_its_own_role() -> None:
    assert set(DEPLOYMENTS) == {name.replace("_", "-") for name in SERVICES}
    for name, command in SERVICES.items():
        pod = DEPLOYMENTS[name.replace("_", "-")]["spec"]["template"]["spec"]
        assert pod["containers"][0]["args"] == list(command)
        role = command[0].removeprefix("services.")
        [own] = pod["containers"][0]["env"]
        assert own == {"name": "YIWANG_DATABASE_URL_FILE", "value": f"/run/yiwang/roles/{role}"}
        secret = next(volume["secret"] for volume in pod["volumes"] if "secret" in volume)
        assert [item["key"] for item in secret["items"]] == [role]


def test_what_watches_knows_every_process_and_may_read_its_key_alone() -> None:
    [watch] = documents("watch/watch.yaml")
    pod = watch["spec"]["template"]["spec"]
    [container] = pod["containers"]
    module, *words = container["args"]
    assert module == "services.watch"
    options = parser().parse_args(words)
    services = {one["metadata"]["name"] for one in ALL if one["kind"] == "Service"}
    hosts = {name: urlsplit(url).hostname for name, url in options.processes}
    assert hosts == {name: name.replace("_", "-") for name in SERVICES}
    assert set(hosts.values()) <= services
    assert options.url == dict(options.processes)["gateway"]
    given = [volume["secret"]["secretName"] for volume in pod["volumes"] if "secret" in volume]
    assert given == ["yiwang-watch"]


def test_every_setting_that_is_set_exists() -> None:
    given = [entry["name"] for _, pod in pods() for entry in pod["containers"][0]["env"]]
    known = {f"YIWANG_{name.upper()}" for name in Settings.model_fields}
    assert {name.removesuffix("_FILE") for name in [*given, *SETTINGS]} <= known


@pytest.mark.parametrize(("name", "pod"), list(pods()), ids=lambda value: str(value)[:12])
def test_no_process_may_more_than_it_needs(name: str, pod: dict[str, Any]) -> None:
    [container] = pod["containers"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True, name
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {"requests", "limits"} <= set(container["resources"])
    assert {"/data", "/tmp"} <= {mount["mountPath"] for mount in container["volumeMounts"]}


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_replicas_are_probed_spread_and_never_all_gone(name: str) -> None:
    spec = DEPLOYMENTS[name]["spec"]
    [container] = spec["template"]["spec"]["containers"]
    assert spec["replicas"] >= 2
    assert spec["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    assert container["livenessProbe"]["httpGet"]["path"] == "/livez"
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert spec["template"]["spec"]["topologySpreadConstraints"]
    budgets = [one for one in ALL if one["kind"] == "PodDisruptionBudget"]
    chosen = spec["selector"]["matchLabels"]
    assert [one for one in budgets if one["spec"]["selector"]["matchLabels"] == chosen]


def test_the_ingress_sends_every_path_to_the_service_that_has_it() -> None:
    ingress = next(one for one in ALL if one["kind"] == "Ingress")
    rules = ingress["spec"]["rules"][0]["http"]["paths"]
    for door, service in (("ingest", "gateway"), ("alerts", "alerts")):
        matched = re.search(rf"@{door} path (.*)", DOOR)
        assert matched is not None
        wanted = {word.removesuffix("/*") for word in matched[1].split()}
        assert wanted == {
            rule["path"] for rule in rules if rule["backend"]["service"]["name"] == service
        }
    assert rules[-1]["path"] == "/"
    assert rules[-1]["backend"]["service"]["name"] == "ops-center"


def test_scaling_asks_for_groups_and_topics_that_exist_and_stops_at_the_partitions() -> None:
    partitions = {topic.name: topic.partitions for topic in TOPICS}
    groups = {"writer": WRITER_GROUP, "alerts": ALERTS_GROUP, "normaliser": NORMALISER_GROUP}
    scaled = {one["metadata"]["name"]: one["spec"] for one in ALL if one["kind"] == "ScaledObject"}
    assert set(scaled) == set(groups)
    for name, spec in scaled.items():
        [trigger] = spec["triggers"]
        assert spec["scaleTargetRef"]["name"] in DEPLOYMENTS
        assert trigger["metadata"]["consumerGroup"] == groups[name]
        assert spec["maxReplicaCount"] == partitions[trigger["metadata"]["topic"]]


def test_the_operator_s_rules_are_the_alerts() -> None:
    assert RESOURCE.read_text(encoding="utf-8") == resource()
