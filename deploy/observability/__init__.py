"""Watching the platform: Prometheus, Grafana."""
