"""`python -m deploy.observability.rules`: the alerts as a resource of the Prometheus operator."""

import yaml

from deploy.observability.catalogue import ROOT

ALERTS = ROOT / "deploy" / "observability" / "alerts.yaml"
RESOURCE = ROOT / "deploy" / "kubernetes" / "observability" / "prometheus-rule.yaml"


def resource() -> str:
    """Its YAML."""
    document = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "yiwang"},
        "spec": yaml.safe_load(ALERTS.read_text(encoding="utf-8")),
    }
    return yaml.safe_dump(document, allow_unicode=True, sort_keys=False, width=120)


if __name__ == "__main__":
    RESOURCE.write_text(resource(), encoding="utf-8")
