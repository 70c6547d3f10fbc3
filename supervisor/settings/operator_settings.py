"""An operator's settings for looking at a worker and controlling it. A part of `DaemonSettings`."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field

from supervisor.settings.files import File
from supervisor.settings.health_address import checked_health_address

_SHARED_DIRECTORIES = frozenset(map(Path, ("/", "/run", "/var/run", "/tmp", "/var/tmp", "/dev/shm")))  # noqa: S108


def _for_one_worker(path: Path | None) -> Path | None:
    if path is not None and path in _SHARED_DIRECTORIES:
        raise ValueError(f"{path} is for everybody: give a directory in it, which this worker has for itself")
    return path


class OperatorSettings(BaseModel):
    """Who may ask the worker, and where."""

    control: Literal["on", "off"] = Field(
        default="on",
        description="`on`: `supervisor status`, `jobs` and the like can ask the worker, over a socket that jobs can't "
        "use. `off`: there is no such socket.",
    )
    control_group: str | None = Field(
        default=None,
        description="A group whose members may also ask the worker, besides root and the worker's own user. They must "
        "be able to enter --runtime-dir: they can't if it is in the state directory, which is closed to others.",
    )
    runtime_dir: Annotated[Path | None, AfterValidator(_for_one_worker)] = Field(
        default=None,
        description="Where the control socket is: one directory for each worker, closed to jobs. Default: systemd's "
        "RuntimeDirectory, otherwise `run` in the state directory.",
    )
    health_address: Annotated[str | None, AfterValidator(checked_health_address)] = Field(
        default=None,
        description="Where the worker serves /live, /ready and /metrics: HOST:PORT on the loopback, such as "
        "127.0.0.1:9464 (port 0: any free one), or the path of a Unix socket. Default: nowhere.",
    )
    health_token_file: File = Field(
        default=None,
        description="A file with a bearer token, which only the worker's user may read. A request with this token on "
        "the port of --health-address gets the metrics, and why the worker is not ready.",
    )
