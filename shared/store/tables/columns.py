"""What every table's module stands on."""

from sqlalchemy import Column, DateTime, MetaData, func

metadata = MetaData()


def moment(name: str, *, nullable: bool = False) -> "Column[object]":
    """A moment in time, with its zone."""
    return Column(name, DateTime(timezone=True), nullable=nullable)


def now(name: str) -> "Column[object]":
    """The moment at which the row was made."""
    return Column(name, DateTime(timezone=True), nullable=False, server_default=func.now())
