"""An import of towns: GeoJSON → what it would change, checked against the districts. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import shapely
from shapely import STRtree
from shapely.errors import ShapelyError
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry
from shapely.validation import explain_validity

from services.ingest.registry.atlas import Atlas
from services.ingest.registry.boundaries import Area

MAX_FEATURES = 5_000
BORDER_DEGREES = 0.002  # two surveys' borders differ by up to about 200 m …
OUTSIDE_SHARE = 0.01  # … and beyond that no more than this share of an area may lie outside
OVERLAP_SHARE = 0.01  # of the smaller one of two neighbours

_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")

VerdictKind = Literal["create", "update", "unchanged", "remove", "refused"]


@dataclass(frozen=True, slots=True)
class Known:
    """What there is: districts, towns, and ids that are taken by other areas."""

    districts: Sequence[Area]
    towns: Sequence[Area]
    taken: set[str]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of one feature (`row`: its number from 1 on; None: a town that goes)."""

    row: int | None
    area_id: str | None
    parent_id: str | None
    verdict: VerdictKind
    column: str | None = None
    reason: str | None = None


@dataclass(slots=True)
class Plan:
    """What an import comes to. It replaces the towns of every district that occurs in it."""

    verdicts: list[Verdict] = field(default_factory=list)
    towns: list[Area] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)

    @property
    def refused(self) -> bool:
        """True when any feature is refused: then nothing can be done."""
        return any(verdict.verdict == "refused" for verdict in self.verdicts)


class _Refused(Exception):
    def __init__(self, column: str, reason: str, area_id: str | None = None) -> None:
        super().__init__(reason)
        self.column, self.reason, self.area_id = column, reason, area_id


def plan(features: Sequence[Any], known: Known) -> Plan:
    """Read every feature, compare it with what there is."""
    made = Plan()
    reader = _Reader(known)
    rows: dict[str, int] = {}
    for row, feature in enumerate(features, 1):
        try:
            town = reader.town(feature)
            if town.area_id in rows:
                again = f"occurs twice, first as feature {rows[town.area_id]}"
                raise _Refused("area_id", again, town.area_id)
            rows[town.area_id] = row
            made.towns.append(town)
        except _Refused as error:
            refused = Verdict(row, error.area_id, None, "refused", error.column, error.reason)
            made.verdicts.append(refused)
    overlapping = _overlaps(made.towns)
    before = {town.area_id: town for town in known.towns}
    for town in made.towns:
        kind = _compare(before.get(town.area_id), town)
        where = (rows[town.area_id], town.area_id, town.parent_id)
        other = overlapping.get(town.area_id)
        if other is not None:
            reason = f"overlaps {other} by more than {OVERLAP_SHARE:.0%}"
            made.verdicts.append(Verdict(*where, "refused", "geometry", reason))
        else:
            made.verdicts.append(Verdict(*where, kind))
    made.verdicts.sort(key=lambda verdict: verdict.row or 0)
    _find_removed(made, known)
    return made


def after(plan_made: Plan, known: Known) -> Known:
    """What there will be."""
    replaced = {town.area_id for town in plan_made.towns} | set(plan_made.removed)
    kept = [town for town in known.towns if town.area_id not in replaced]
    return Known(known.districts, [*kept, *plan_made.towns], known.taken)


def atlas_of(known: Known) -> Atlas:
    """The areas as an index of points."""
    return Atlas(
        [(area.area_id, area.shape) for area in known.districts],
        [(area.area_id, area.parent_id or "", area.shape) for area in known.towns],
    )


class _Reader:
    def __init__(self, known: Known) -> None:
        self._districts = {area.area_id: area for area in known.districts}
        self._roomy = {area.area_id: area.shape.buffer(BORDER_DEGREES) for area in known.districts}
        self._taken = known.taken | self._districts.keys()

    def town(self, feature: Any) -> Area:
        """Raises `_Refused`."""
        properties = feature.get("properties") if isinstance(feature, dict) else None
        if not isinstance(properties, dict):
            raise _Refused("properties", "is no GeoJSON feature with properties")
        area_id = str(properties.get("area_id") or properties.get("adcode") or "")
        if not _ID.fullmatch(area_id):
            raise _Refused("area_id", "1 to 64 letters, digits or ._:- are needed")
        if area_id in self._taken:
            raise _Refused("area_id", "is the id of another area", area_id)
        name = properties.get("name_zh") or properties.get("name")
        if not isinstance(name, str) or not name.strip():
            raise _Refused("name_zh", "is missing", area_id)
        outline = _outline(feature.get("geometry"), area_id)
        parent = self._parent(properties.get("parent_id"), outline, area_id)
        english = str(properties.get("name_en") or name)
        inside = outline.representative_point()
        return Area(area_id, parent, "town", name, english, outline, (inside.x, inside.y))

    def _parent(self, named: Any, outline: BaseGeometry, area_id: str) -> str:
        """The district that is named, else the one that most of it lies in."""
        if named is not None and str(named) not in self._districts:
            raise _Refused("parent_id", f"no district {named}", area_id)
        parent = str(named) if named is not None else self._mostly_in(outline)
        if parent is None:
            raise _Refused("geometry", "lies in no district of the city", area_id)
        outside = outline.difference(self._roomy[parent]).area / outline.area
        if outside > OUTSIDE_SHARE:
            raise _Refused("geometry", f"{outside:.1%} of it lie outside of {parent}", area_id)
        return parent

    def _mostly_in(self, outline: BaseGeometry) -> str | None:
        shares = {
            area_id: district.shape.intersection(outline).area
            for area_id, district in self._districts.items()
            if district.shape.intersects(outline)
        }
        return max(shares, key=lambda area_id: shares[area_id]) if shares else None


def _outline(geometry: Any, area_id: str) -> BaseGeometry:
    try:
        outline = shape(geometry)
    except (ShapelyError, ValueError, TypeError, KeyError, AttributeError, IndexError):
        raise _Refused("geometry", "is no GeoJSON geometry", area_id) from None
    if outline.geom_type not in ("Polygon", "MultiPolygon") or outline.is_empty:
        raise _Refused("geometry", "is neither Polygon nor MultiPolygon", area_id)
    outline = shapely.force_2d(outline)
    if not outline.is_valid:
        raise _Refused("geometry", explain_validity(outline), area_id)
    west, south, east, north = outline.bounds
    if not (west >= -180 and east <= 180 and south >= -90 and north <= 90):
        raise _Refused("geometry", "is not in degrees (lon, lat)", area_id)
    return outline


def _overlaps(towns: Sequence[Area]) -> dict[str, str]:
    """Town → the first earlier one that it overlaps by too much."""
    tree = STRtree([town.shape for town in towns])
    found: dict[str, str] = {}
    for number, town in enumerate(towns):
        for other in tree.query(town.shape, predicate="intersects"):
            if other >= number or town.area_id in found:
                continue
            smaller = min(town.shape.area, towns[other].shape.area)
            if town.shape.intersection(towns[other].shape).area > OVERLAP_SHARE * smaller:
                found[town.area_id] = towns[other].area_id
    return found


def _compare(before: Area | None, town: Area) -> VerdictKind:
    if before is None:
        return "create"
    names = (before.parent_id, before.name_zh, before.name_en)
    same = names == (town.parent_id, town.name_zh, town.name_en)
    return "unchanged" if same and before.polygon == town.polygon else "update"


def _find_removed(made: Plan, known: Known) -> None:
    districts = {town.parent_id for town in made.towns}
    wanted = {town.area_id for town in made.towns}
    for town in known.towns:
        if town.parent_id in districts and town.area_id not in wanted:
            made.removed.append(town.area_id)
            made.verdicts.append(Verdict(None, town.area_id, town.parent_id, "remove"))
