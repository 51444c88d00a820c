"""How well data must be kept: four levels, in order, and what a city calls them. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Literal


class Level(IntEnum):
    """Whoever is cleared for a level is cleared for those before it."""

    PUBLIC = 0  # 公开: anybody
    INTERNAL = 1  # 内部: whoever works with the platform
    SENSITIVE = 2  # 敏感: whoever handles cases
    CORE = 3  # 核心: who runs the platform

    @property
    def code(self) -> str:
        """As it is written in files and answers."""
        return self.name.lower()


LevelCode = Literal["public", "internal", "sensitive", "core"]
BY_CODE: Mapping[str, Level] = {level.code: level for level in Level}


@dataclass(frozen=True, slots=True)
class LevelName:
    """What a city calls a level."""

    level: Level
    zh: str
    en: str
