"""The blocks that the imported modules have declared."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from types import FrameType
from typing import Any

from sdk.author_names import author_name
from sdk.block import FunctionBlock
from sdk.errors import DuplicateBlockError
from sdk.registration import Registration


@dataclass(frozen=True, slots=True)
class RegisteredBlock:
    """A block's class, its registration, and where it was declared.

    `importing` is the module whose top level registered the class, if known. It differs from the class's `module` if
    a function of that module makes the class. `job_run` is a subclass of `sdk.execution.JobRun` that runs the jobs
    of a class of another SDK in place of `JobRun`. It has no such type, because that module imports this one.
    """

    cls: type[FunctionBlock[Any, Any]]
    registration: Registration
    module: str
    file: str
    line: int
    job_run: type[Any] | None = None
    importing: str | None = None

    @property
    def place(self) -> str:
        """Class and source line, for a person."""
        return f"{author_name(self.module)}.{self.cls.__qualname__} ({self.file}:{self.line})"

    def is_same_source_as(self, other: RegisteredBlock) -> bool:
        """Whether both come from the same class statement: its module was only imported again."""
        return (self.file, self.cls.__qualname__) == (other.file, other.cls.__qualname__)


def importing_module() -> str | None:
    """Return the name of the module whose top level runs now, the innermost of several; `None` if none runs."""
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        name = frame.f_globals.get("__name__")
        if frame.f_code.co_name == "<module>" and isinstance(name, str):
            return name
        frame = frame.f_back
    return None


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two blocks that claim one id: the first was kept, the second refused."""

    identifier: str
    kept: RegisteredBlock
    refused: RegisteredBlock

    @property
    def places(self) -> tuple[str, str]:
        """Where each of the two is declared."""
        return self.kept.place, self.refused.place


class Registry:
    """Blocks by id, filled by the imports of modules. It needs no event loop and no engine."""

    def __init__(self) -> None:
        self.function_blocks: dict[str, RegisteredBlock] = {}
        self.conflicts: list[Conflict] = []

    def register(self, block: RegisteredBlock) -> None:
        """Add `block`, or replace an earlier import of the same source by it.

        Raises `DuplicateBlockError` if another class has the same id. The first class stays: the order of imports
        must not decide which of two blocks runs.
        """
        identifier = block.registration.identifier
        present = self.function_blocks.get(identifier)
        if present is not None and not present.is_same_source_as(block):
            conflict = Conflict(identifier, kept=present, refused=block)
            if conflict.places not in [known.places for known in self.conflicts]:
                self.conflicts.append(conflict)
            raise DuplicateBlockError(
                f"{identifier} is registered already by {present.place}",
                where=block.place,
                advice="Give one of the two another name or version.",
            )
        self.function_blocks[identifier] = block


registry = Registry()
"""The blocks that this process has registered, in their order. The import of a block's module fills it."""
