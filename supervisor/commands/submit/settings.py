"""The command line of `supervisor submit`."""

from typing import Any, Final

from pydantic import Field
from pydantic_settings import BaseSettings, CliPositionalArg, PydanticBaseSettingsSource

from jobrunner.protocol.messages import JobType, RunOn
from supervisor.commands.shared.command_settings import OnlyThese
from supervisor.commands.shared.json_input import FORMS
from supervisor.settings.files import File
from supervisor.settings.run_settings import RunSettings

_OF_THE_ENGINE: Final = frozenset(
    {"engine_url", "engine_ca_file", "engine_client_certificate", "engine_client_key", "engine_token_file"}
)


class SubmitSettings(BaseSettings):
    """Submit a job, or many, to an engine that `supervisor local` or `supervisor dev` runs.

    Exit code 0: the engine took the job; with --wait, the job succeeded. 1: it failed. 2: wrong usage, an engine that
    can't be used, or a result that did not come in time.
    """

    model_config = RunSettings.model_config

    block: CliPositionalArg[str | None] = Field(
        default=None,
        description="The block: `package/name:1.0.0`, `package/name`, or its name alone if that is unique. With "
        "--jobs: the block of each line that names none.",
    )
    jobs: str | None = Field(
        default=None,
        description="A file with a job on each line, or `-` for stdin. A line is like "
        '`{"block": "echo", "params": {"text": "hello"}}`; also possible: `context`, `type`, `run_on` and `entity_id`. '
        "If one line is bad, no job is submitted. The results are printed as JSON lines, as they come.",
    )
    params: str = Field(default="{}", description=f"The parameters: {FORMS}.")
    context: str | None = Field(
        default=None, description=f"The job's context, with `devices` and so on: {FORMS}."
    )
    job_type: JobType = Field(default="execute", alias="type", description="What the block must do.")
    run_on: RunOn | None = Field(
        default=None, description="What the job runs on. Default: what the block is registered for."
    )
    entity_id: int | None = Field(
        default=None, description="The entity to run on. Default: the only one of its kind in the context."
    )
    wait: bool = Field(
        default=False, description="Wait for the result, and show what the job logs meanwhile."
    )
    timeout_seconds: float | None = Field(
        default=None, gt=0, description="How long to wait. Default: until there is a result."
    )
    engine_url: str = Field(
        default="",
        description="The engine's URL. Default: the last engine that `local` or `dev` started and that still runs, "
        "otherwise NEOPS_ENGINE_URL or URL_BLACKBOARD.",
    )
    engine_ca_file: File = Field(default=None, description="CA certificates for an engine behind TLS.")
    engine_client_certificate: File = Field(default=None, description="A client certificate for the engine.")
    engine_client_key: File = Field(
        default=None, description="The key of the client certificate, if it is in another file."
    )
    engine_token_file: File = Field(default=None, description="A file with a bearer token for the engine.")
    as_json: bool = Field(
        default=False,
        alias="json",
        description="Print one JSON object. This is the default if stdout is no terminal.",
    )

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], *args: Any, **kwargs: Any
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take only settings about the engine from the environment and from `.env`, and none about the job."""
        sources = RunSettings.settings_customise_sources(settings_cls, *args, **kwargs)
        return tuple(OnlyThese(settings_cls, source, _OF_THE_ENGINE) for source in sources)
