"""The catalogue: which blocks the template has, and which modules it could not import. Plain data, as JSON."""

from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from pydantic_core import PydanticSerializationError

from jobrunner.protocol.encodable import all_encodable

_KEY_CAP_CHARS = 1000
_STEPS_CAP = 50
_PATHS_CAP = 1000

SensitivePath = Annotated[
    tuple[Annotated[str, Field(max_length=_KEY_CAP_CHARS)], ...], Field(max_length=_STEPS_CAP)
]
"""Keys from the outside to the inside; `*` is any element of a list or value of an object."""

ProblemKind = Literal["error", "exit", "hang", "crash", "thread", "conflict", "source"]


class BlockEntry(BaseModel):
    """One function block as the supervisor knows it: enough to register it and to limit its jobs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    package: str
    name: str
    version: tuple[int, int, int]
    description: str
    run_on: str
    fb_type: str
    help_text: str
    deprecated: bool
    is_idempotent: bool
    is_pure: bool
    reversible: bool
    parameter_schema: dict[str, Any]
    result_schema: dict[str, Any]
    sensitive_parameters: Annotated[tuple[SensitivePath, ...], Field(max_length=_PATHS_CAP)] = ()
    """Where the block's model declares secrets in the parameters. The values are then read from the order itself."""
    max_seconds: float | None
    max_memory_mb: int | None
    max_cpu_seconds: float | None = None
    max_concurrent: Annotated[int | None, Field(gt=0)] = None
    """How many of its jobs one worker runs at a time. `None`: as many as there are slots."""
    code_digest: Annotated[str, Field(max_length=64)] = ""
    """Which code this is: equal for equal files, wherever they are. Empty if it is not known."""
    module: str
    imported_with: str | None = None
    """The module that was being imported for its blocks when this one was registered, by the name that a problem with
    it has. It differs from `module`, the module of the class, if it imports that one or calls a function there."""
    file: str | None
    line: int | None


class ImportProblem(BaseModel):
    """A module whose blocks are missing, or that affects this worker in another way, and why."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    module: str
    file: str | None
    line: int | None
    kind: ProblemKind
    message: str
    traceback: str

    @property
    def place(self) -> str:
        """Return where to look, for people: the file and line if known, otherwise the module."""
        if self.file is None:
            return self.module
        return self.file if self.line is None else f"{self.file}:{self.line}"

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


class LeftOut(BaseModel):
    """A module that was not imported, because nothing in its text shows that it registers anything."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    module: str
    file: str | None
    reason: str
    """The reason, as the second half of a sentence."""

    def __str__(self) -> str:
        return f"{self.file or self.module}: {self.reason}"


class Catalogue(BaseModel):
    """The result of discovery."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    blocks: tuple[BlockEntry, ...] = ()
    problems: tuple[ImportProblem, ...] = ()
    left_out: tuple[LeftOut, ...] = ()

    def find(self, block_id: str) -> BlockEntry | None:
        """Return the block with this id."""
        return self._by_id.get(block_id)

    @cached_property
    def _by_id(self) -> dict[str, BlockEntry]:
        # If two have the same id, the first counts.
        return {block.id: block for block in reversed(self.blocks)}

    @property
    def not_imported(self) -> tuple[ImportProblem, ...]:
        """The problems of modules whose blocks are missing. A module that has started a thread still has its blocks."""
        return tuple(problem for problem in self.problems if problem.kind != "thread")

    @property
    def starts_threads(self) -> bool:
        """Whether the import of these blocks left a thread running, so the template must not fork."""
        return bool(self.of_kind("thread"))

    def of_kind(self, kind: ProblemKind) -> tuple[ImportProblem, ...]:
        """Return the problems of one kind."""
        return tuple(problem for problem in self.problems if problem.kind == kind)

    def to_json(self) -> bytes:
        """Return the catalogue in the form in which the template sends it.

        Text that UTF-8 can't hold, in a file's name or from a failed import, is escaped: it harms nothing else.
        """
        try:
            return self.model_dump_json().encode()
        except PydanticSerializationError:
            return Catalogue.model_validate(all_encodable(self.model_dump())).model_dump_json().encode()


CATALOGUE: TypeAdapter[Catalogue] = TypeAdapter(Catalogue)
