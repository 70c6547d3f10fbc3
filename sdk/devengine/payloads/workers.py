"""What a worker says about itself and its blocks, and how it polls (contract W1, W2, W3, W5, W7)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, TypeAdapter

from sdk.devengine.identifiers import BlockId
from sdk.devengine.payloads.reader import Body

MAX_HELP_TEXT_CHARACTERS = 255  # the real engine's column is a varchar(255)
_MAX_VERSION_PART = 999_999_999


def _whole_number(value: object) -> object:
    """JSON has one number type: 1.0 is as valid as 1 for a version part, and clients may send either."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _iso_time(value: str) -> str:
    try:
        datetime.fromisoformat(value)
    except ValueError:  # its message repeats the value
        raise ValueError("must be a time in ISO 8601") from None
    return value


WholeNumber = BeforeValidator(_whole_number)
VersionPart = Annotated[int, WholeNumber, Field(ge=0, le=_MAX_VERSION_PART)]


class VersionQuery(Body):
    """W1: may this client version talk to the engine?"""

    version: str
    library: str


class WorkerRegistration(Body):
    """W2: a new worker."""

    version: str
    name: str | None = None
    ip_address: str | None = None


class VersionedBlock(Body):
    """A block named by its parts, as in a poll."""

    package: str
    name: str
    major_version: VersionPart
    minor_version: VersionPart
    patch_version: VersionPart

    @property
    def block(self) -> BlockId:
        """The block id from these parts."""
        return BlockId(self.package, self.name, self.major_version, self.minor_version, self.patch_version)


class BlockRegistration(VersionedBlock):
    """W3: a block that a worker offers."""

    worker_id: str | None = None
    description: str
    run_on: str | None = None
    fb_type: Literal["configure", "facts", "check", "execute", "none"]
    markdown_help_text: Annotated[str, Field(max_length=MAX_HELP_TEXT_CHARACTERS)] | None = None
    deprecated: bool | None = None
    parameter_json_schema: dict[str, Any]
    result_data_json_schema: dict[str, Any]
    is_idempotent: bool | None = None
    is_pure: bool | None = None
    reversible: bool | None = None
    sensitive_parameters: list[list[str]] | None = None
    """Not in the contract: the paths of the parameters that must not be shown. Our worker sends them only to this
    engine (`takesSensitiveParameters` of W1)."""


class Poll(Body):
    """W5: a worker asks for jobs of these blocks."""

    function_block_ids: list[VersionedBlock]
    worker_id: str
    limit: Annotated[int, WholeNumber, Field(ge=1)] | None = None


class LogEntry(Body):
    """W7: one line of a job's log; every field is required."""

    workflow_id: Annotated[str, Field(pattern=r"^[^/:]+/[^/:]+:\d+(\.\d+)?(\.\d+)?$")]
    job_id: str
    function_block_id: Annotated[str, Field(pattern=r"^[^/:]+/[^/:]+:\d+(\.\d+)?(\.\d+)?$")]
    log_entry: str
    log_level: str
    timestamp: Annotated[str, AfterValidator(_iso_time)]


VERSION_QUERY: TypeAdapter[VersionQuery] = TypeAdapter(VersionQuery)
WORKER_REGISTRATION: TypeAdapter[WorkerRegistration] = TypeAdapter(WorkerRegistration)
BLOCK_REGISTRATION: TypeAdapter[BlockRegistration] = TypeAdapter(BlockRegistration)
POLL: TypeAdapter[Poll] = TypeAdapter(Poll)
LOG_ENTRY: TypeAdapter[LogEntry] = TypeAdapter(LogEntry)
