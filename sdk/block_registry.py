"""The blocks that were declared in the modules imported so far."""

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

    `importing` is the module whose top level registered it, where that is known: another one than the class's `module`
    where a function of that makes the class. `job_run` is a class made from `sdk.execution.JobRun` that runs its jobs
    in that one's place, for a class of another SDK. Not typed as such: that module needs this one.
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
        """Whether both come from one class statement: its module was merely imported once more."""
        return (self.file, self.cls.__qualname__) == (other.file, other.cls.__qualname__)


def importing_module() -> str | None:
    """Return the name of the module whose top level runs, the innermost of them; `None` where none does."""
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
        """Where the two are declared."""
        return self.kept.place, self.refused.place


class Registry:
    """Blocks by id. Filled while modules are imported: it needs no event loop and no engine."""

    def __init__(self) -> None:
        self.function_blocks: dict[str, RegisteredBlock] = {}
        self.conflicts: list[Conflict] = []

    def register(self, block: RegisteredBlock) -> None:
        """Add `block`, or put it in the place of an earlier import of the same source.

        Raises `DuplicateBlockError` when another class has its id. The first stays: which of two blocks
        runs must not depend on what happens to be imported last.
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
"""The blocks that this process has registered, in their order. Importing a block's module fills it."""
