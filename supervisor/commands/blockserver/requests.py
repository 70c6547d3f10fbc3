"""The requests to the block server: one JSON object per line."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from jobrunner.protocol.messages import JobType, RunOn


class _Request(BaseModel):
    # The caller chooses the id, and the answer repeats it.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    id: int


class ModulePlace(BaseModel):
    """The module of a class: the name under which the caller has imported it, and its file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    file: str


class RunRequest(_Request):
    """Run one block. A limit of None is the daemon's limit; sizes in MB, times in seconds.

    `module` says where the block is, in place of `source`. `python_path` is the caller's `sys.path`.
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
