"""Further map layers: files that an operator drops into a folder."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

KINDS = {".geojson": "geojson", ".pmtiles": "pmtiles"}
MEDIA_TYPES = {"geojson": "application/geo+json", "pmtiles": "application/vnd.pmtiles"}


@dataclass(frozen=True, slots=True)
class Layer:
    """One file. `name`: the file's name without its ending."""

    name: str
    url: str
    kind: str
    path: Path


def list_layers(folder: Path) -> list[Layer]:
    """By name; nothing if the folder is not there. Hidden files are left out."""
    if not folder.is_dir():
        return []
    files = sorted(path for path in folder.iterdir() if path.is_file())
    return [_layer(path) for path in files if path.suffix in KINDS and path.name[0] != "."]


def find_layer(folder: Path, file: str) -> Layer | None:
    """Only a name that the list has: no path can lead out of the folder."""
    return next((layer for layer in list_layers(folder) if layer.path.name == file), None)


def _layer(path: Path) -> Layer:
    url = f"/v1/map/layers/{quote(path.name)}"
    return Layer(path.stem, url, KINDS[path.suffix], path)
