"""What a check has found."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """An error keeps a block from working, a warning is a doubt."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding. `code` names its kind and stays the same in all releases. `line` is 0 if unknown."""

    file: str
    line: int
    level: Level
    code: str
    message: str
    advice: str
