"""What the first start has kept for whoever runs on the same data directory."""

import json

from shared.errors import Misconfigured
from shared.settings import Settings


def first_key(settings: Settings) -> str:
    """The first posting key. Raises `Misconfigured`."""
    path = settings.credentials_path
    try:
        return str(json.loads(path.read_text(encoding="utf-8"))["api_key"])
    except (OSError, ValueError, KeyError) as error:
        raise Misconfigured(f"no --key, and none in {path}: {error!r}") from error
