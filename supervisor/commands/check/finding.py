"""What a check has found."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad it is: an error keeps a block from working, a warning is a doubt."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding. `code` names its kind and stays the same from release to release. `line` is 0 where unknown."""

    file: str
    line: int
    level: Level
    code: str
    message: str
    advice: str
