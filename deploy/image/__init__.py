"""The container image: built by Docker or by Podman, with a registry or without one."""
