"""The daemon's settings: the one definition behind flags, environment and documentation."""

import logging
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import AfterValidator, Field, ModelWrapValidatorHandler, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from supervisor.log.settings import checked_levels, parse_levels, parse_redact_keys
from supervisor.process.user_numbers import parse_users
from supervisor.settings.block_slots import checked_block_slots
from supervisor.settings.engine_settings import EngineSettings
from supervisor.settings.env_file import EnvFileSource
from supervisor.settings.files import File, default_state_directory, existing_paths
from supervisor.settings.groups import SETTING_GROUPS
from supervisor.settings.kept_jobs import KeptJobsSettings
from supervisor.settings.legacy_environment import LegacyEnvironment
from supervisor.settings.operator_settings import OperatorSettings
from supervisor.settings.origins import KnowsOrigins
from supervisor.settings.problems import told_together

ENV_PREFIX: Final = "NEOPS_"
MOST_SPARES: Final = 4


def _split(value: Any) -> Any:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


class RunSettings(KnowsOrigins):
    """What every command that runs blocks needs to know."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX,
        env_ignore_empty=True,
        extra="ignore",
        cli_kebab_case=True,
        cli_implicit_flags=True,
        cli_avoid_json=True,
        cli_hide_none_type=True,
        validate_default=False,
        allow_inf_nan=False,
    )
    FLAG_GROUPS: ClassVar = SETTING_GROUPS

    function_blocks: Annotated[list[str], NoDecode] = Field(
        default=["entry-points"],
        description="Where function blocks are: directories, .py files, module names, or `entry-points` for "
        "those of installed packages. Comma-separated, or given several times. What is named itself is imported; "
        "below a directory or a package, only the modules that register a block, a plugin or a test case.",
    )
    import_all_modules: bool = Field(
        default=False,
        description="Import every module below a directory or a package of blocks. This also runs scripts that lie "
        "there. For modules whose text does not show that they register something.",
    )
    max_job_seconds: float = Field(
        default=600,
        gt=0,
        description="The worker ends a job after this many seconds. A block may have a shorter limit.",
    )
    grace_seconds: float = Field(
        default=10, ge=0, description="How long a block may clean up after its time is over."
    )
    max_job_memory_mb: int | None = Field(
        default=None,
        gt=0,
        description="The worker kills a job whose processes use more memory than this. Default: no limit.",
    )
    max_job_cpu_seconds: float | None = Field(
        default=None,
        gt=0,
        description="The worker ends a job whose processes use more processor time than this; two busy processors use "
        "two seconds in one. A block may have a lower limit. Default: no limit.",
    )
    stall_seconds: float = Field(
        default=10,
        ge=0,
        description="A job has stalled when its event loop has not run for this many seconds: the log shows where. "
        "0 turns this off.",
    )
    on_stall: Literal["warn", "kill"] = Field(
        default="warn",
        description="`kill`: the worker ends a stalled job. `warn`: the job goes on, and the log says so.",
    )
    blocking_seconds: float = Field(
        default=0.5,
        ge=0,
        description="The log warns if code of a block runs for this many seconds without an await, and says on which "
        "line, and what to do. 0 turns this off.",
    )
    max_job_processes: int = Field(
        default=512, gt=0, description="The worker kills a job with more processes and threads than this."
    )
    max_job_open_files: int = Field(
        default=1024,
        ge=64,
        description="How many files and sockets each process of a job may have open; never more than half of the "
        "worker's own limit.",
    )
    max_job_file_mb: int | None = Field(
        default=None,
        gt=0,
        description="No process of a job can write a file larger than this. Default: no limit.",
    )
    max_result_mb: int = Field(default=8, gt=0, le=64, description="The largest result of a job, as JSON.")
    sessions_per_device: int = Field(
        default=4,
        ge=0,
        le=1000,
        description="How many sessions all jobs of this worker together may have open on one device. The next ones "
        "wait for their turn until the time for their login is over. 0: any number.",
    )
    start_method: Literal["template", "spawn"] = Field(
        default="template",
        description="`template`: children are forks of a process that has imported the blocks. "
        "`spawn`: each job gets a new interpreter, which takes about half a second.",
    )
    import_seconds: float = Field(
        default=30,
        gt=0,
        description="The worker leaves out a module of blocks that takes longer than this to import.",
    )
    isolation: Literal["off", "kernel"] = Field(
        default="kernel",
        description="`kernel`: jobs reach neither the files of this worker nor each other, and can't change blocks, "
        "limits and priorities, as far as this kernel supports it. The log says at the start what it supports. "
        "`off`: jobs may do what the worker's user may, except send signals.",
    )
    writable_paths: Annotated[list[str], NoDecode, AfterValidator(existing_paths)] = Field(
        default=[],
        description="Directories or files that jobs may write to although `--isolation kernel` is on, such as a "
        "directory beside that of the blocks.",
    )
    host_keys: Literal["strict", "accept-new", "off"] = Field(
        default="accept-new",
        description="Host keys of devices. `accept-new`: the worker keeps the first key that a device shows. Another "
        "key later ends the connection before a password is sent. `strict`: only keys that are known already. "
        "`off`: no check.",
    )
    known_hosts: File = Field(
        default=None,
        description="A file with host keys of devices, in OpenSSH's format. The worker only reads this file. Its keys "
        "count before those that the worker keeps itself.",
    )
    job_env: Annotated[list[str], NoDecode] = Field(
        default=[],
        description="Names of environment variables that jobs may see, besides PATH, locale and proxy.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least severe level that is logged."
    )

    log_levels: Annotated[list[str], NoDecode, AfterValidator(checked_levels)] = Field(
        default=[],
        description="Levels for single loggers and all below them, such as `netmiko=warning,blocks.ping=debug`.",
    )
    log_format: Literal["text", "indented", "json", "auto"] = Field(
        default="text",
        description="`text`: a line for each event. `indented`: the same, with further lines below the first, as it is "
        "on a terminal. `json`: one object for each event. `auto`: text on a terminal, otherwise JSON.",
    )
    redact_keys: Annotated[list[str], NoDecode, AfterValidator(parse_redact_keys)] = Field(
        default=[],
        description="More parts of names whose values are masked in all texts, such as `pin,seed`. The worker always "
        "masks the values of password, secret, token, community, api_key and the like.",
    )

    _lists = field_validator(
        "function_blocks", "job_env", "log_levels", "redact_keys", "writable_paths", mode="before"
    )(lambda value: _join(value))

    @property
    def log_level_number(self) -> int:
        """Return the level as a number of `logging`."""
        return int(getattr(logging, self.log_level.upper()))

    @property
    def log_level_numbers(self) -> dict[str, int]:
        """Return the levels of single loggers, as numbers of `logging`."""
        return parse_levels(self.log_levels)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags win over the environment, the environment over `.env`; in both, our names over the old worker's."""
        return (init_settings, env_settings, LegacyEnvironment(settings_cls), EnvFileSource(settings_cls))


class DaemonSettings(KeptJobsSettings, OperatorSettings, EngineSettings, RunSettings):  # pyright: ignore[reportIncompatibleVariableOverride]  # pydantic takes the last
    """Run the worker: claim jobs from a neops workflow engine and run each in a process of its own."""

    OTHER_USAGE: ClassVar = "COMMAND [FLAG ...]"

    max_concurrent_jobs: int = Field(
        default=1,
        ge=1,
        le=256,
        description="How many jobs run at a time. With 1 they run in the order in which they come.",
    )
    block_slots: Annotated[list[str], NoDecode, AfterValidator(checked_block_slots)] = Field(
        default=[],
        description="How many jobs of single blocks run at a time, such as `acme/backup=2,acme/ping:1.0.0=8`, whatever "
        "their registration (`max_concurrent`) says. 0: as many as there are slots. The worker leaves further jobs of "
        "such a block to other workers.",
    )
    worker_name: str | None = Field(default=None, description="This worker's name as the engine shows it.")
    worker_ip_address: str | None = Field(
        default=None, description="This worker's address as the engine shows it."
    )
    shutdown_timeout_seconds: float = Field(
        default=60,
        ge=0,
        description="How long running jobs may go on after SIGTERM; then the worker kills them.",
    )
    job_users: str | None = Field(
        default=None,
        description="Numbers of users, as FIRST-LAST. Each child gets one of these users for itself: jobs can then "
        "read neither the worker's files nor each other's. Needs root, or the capabilities that docs/adr/0010 names. "
        "Default: jobs run as the worker's own user.",
    )
    state_dir: Path = Field(
        default_factory=default_state_directory,
        description="Where the journal is: one directory for each worker. Default: systemd's StateDirectory, otherwise "
        "neops-supervisor in XDG_STATE_HOME (~/.local/state).",
    )
    cgroups: Literal["auto", "off"] = Field(
        default="auto",
        description="`auto`: each job gets a cgroup of its own if this worker may make one. Then a kill reaches every "
        "process of the job, and memory limits act at once. `off`: never.",
    )
    require_all_blocks: bool = Field(
        default=False,
        description="Refuse to start if a block can't be imported, or if the engine refuses one.",
    )

    @property
    def spares(self) -> int:
        """Return how many children wait for jobs: one more than there are slots, because one is being replaced."""
        return min(self.max_concurrent_jobs + 1, MOST_SPARES)

    _block_slots = field_validator("block_slots", mode="before")(lambda value: _join(value))

    @field_validator("job_users")
    @classmethod
    def _are_users(cls, value: str | None) -> str | None:
        if value is not None:
            parse_users(value)
        return value

    @model_validator(mode="wrap")
    @classmethod
    def _is_told_together(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        return told_together(cls, data, handler)


def _join(value: Any) -> Any:
    if isinstance(value, list):
        return [part for item in value for part in _split(item)]
    return _split(value)
