"""What may be asked of the block server: one JSON object a line."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from jobrunner.protocol.messages import JobType, RunOn


class _Request(BaseModel):
    # An id is a number of the caller's, and comes back with the answer.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    id: int


class ModulePlace(BaseModel):
    """The module of a class, by the name that the caller has imported it under, and by its file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    file: str


class RunRequest(_Request):
    """Run one block. Limits that are None are those of the daemon; sizes in MB, times in seconds.

    `module` is where the block is, instead of `source`. `python_path` is the caller's `sys.path`.
    """

    request: Literal["run"] = "run"
    source: tuple[str, ...] = Field(min_length=1)
    module: ModulePlace | None = None
    python_path: tuple[str, ...] = ()
    block: str
    type: JobType = "execute"
    run_on: RunOn | None = None
    entity_id: int | float | None = None
    parameters: dict[str, Any] = {}
    context: dict[str, Any] = {}
    max_seconds: float | None = Field(default=None, gt=0)
    grace_seconds: float | None = Field(default=None, ge=0)
    max_memory_mb: int | None = Field(default=None, gt=0)
    max_cpu_seconds: float | None = Field(default=None, gt=0)
    max_result_mb: int | None = Field(default=None, gt=0, le=64)
    stall_seconds: float | None = Field(default=None, ge=0)
    on_stall: Literal["warn", "kill"] | None = None
    log_level: Literal["debug", "info", "warning", "error"] | None = None


class StopRequest(_Request):
    """End the job of the run request with this id. The answer to that request comes soon after."""

    request: Literal["stop"]


Request = Annotated[RunRequest | StopRequest, Field(discriminator="request")]

REQUEST: TypeAdapter[RunRequest | StopRequest] = TypeAdapter(Request)
