"""How long each class of metrics is kept, as an administrator says."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.clock import system_clock
from shared.store.audit import SYSTEM, Action, By, record_change, said
from shared.store.tables import ingest_audit, metric_classes, metrics, retention

STANDARD = "standard"  # the class of every metric that no other class names
_LONGEST = 36_500

Days = Annotated[int, Field(ge=1, le=_LONGEST)] | None


class Periods(BaseModel):
    """Days that readings and rollups are kept; null: for ever. Coarser ones are kept at least as
    long as finer ones, because they are made of them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    raw_days: Days = None
    rollups_1m_days: Days = None
    rollups_15m_days: Days = None
    rollups_1h_days: Days = None
    rollups_1d_days: Days = None

    @model_validator(mode="after")
    def _coarser_longer(self) -> Self:
        days = [_LONGEST + 1 if each is None else each for each in self.by_width().values()]
        if days != sorted(days):
            raise ValueError("what is coarser must be kept at least as long as what is finer")
        return self

    def by_width(self) -> dict[int, int | None]:
        """Seconds of a bucket (0: the readings) → days."""
        return {
            0: self.raw_days,
            60: self.rollups_1m_days,
            900: self.rollups_15m_days,
            3_600: self.rollups_1h_days,
            86_400: self.rollups_1d_days,
        }


class KeptClass(Periods):
    """A class: its name, its periods, and the metrics in it (`standard` has all the others)."""

    name: str
    metrics: tuple[str, ...] = ()


class UnknownMetrics(ValueError):
    """`codes` are not in the catalogue."""

    def __init__(self, codes: tuple[str, ...]) -> None:
        super().__init__(f"not in the catalogue: {', '.join(codes)}")
        self.codes = codes


class Classes:
    """The classes in the database."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def all(self) -> list[KeptClass]:
        """By name; `standard` is always among them."""
        async with self._engine.connect() as connection:
            return await _classes(connection)

    async def save(
        self, name: str, periods: Periods, codes: Sequence[str], by: By = SYSTEM
    ) -> None:
        """Make or replace a class; its metrics leave the class they were in. Raises
        `UnknownMetrics`."""
        values = periods.model_dump(include=set(Periods.model_fields))
        async with self._engine.begin() as connection:
            known = set((await connection.execute(select(metrics.c.metric))).scalars())
            if unknown := [code for code in codes if code not in known]:
                raise UnknownMetrics(tuple(unknown))
            before = _named(await _classes(connection), name)
            statement = insert(retention).values({"class": name, **values})
            await connection.execute(
                statement.on_conflict_do_update(index_elements=["class"], set_=values)
            )
            await connection.execute(
                delete(metric_classes).where(metric_classes.c["class"] == name)
            )
            for code in codes:
                member = insert(metric_classes).values({"metric": code, "class": name})
                await connection.execute(
                    member.on_conflict_do_update(index_elements=["metric"], set_={"class": name})
                )
            after = _named(await _classes(connection), name)
            action = Action("retention.changed", name, system_clock(), said(before), said(after))
            await record_change(connection, ingest_audit, by, action)

    async def codes(self) -> list[str]:
        """Every metric of the catalogue."""
        async with self._engine.connect() as connection:
            return list((await connection.execute(select(metrics.c.metric))).scalars())


async def _classes(connection: AsyncConnection) -> list[KeptClass]:
    rows = (await connection.execute(select(retention))).mappings().all()
    members: dict[str, list[str]] = {}
    for code, name in (await connection.execute(select(metric_classes))).all():
        members.setdefault(name, []).append(code)
    periods: dict[str, Mapping[str, int | None]] = {STANDARD: {}}
    periods |= {row["class"]: {k: v for k, v in row.items() if k != "class"} for row in rows}
    return [
        KeptClass(name=name, metrics=tuple(sorted(members.get(name, ()))), **periods[name])
        for name in sorted(periods)
    ]


def _named(classes: Sequence[KeptClass], name: str) -> KeptClass | None:
    return next((one for one in classes if one.name == name), None)
