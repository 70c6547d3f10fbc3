"""How the worker reaches the engine, and how long it waits for it. A part of `DaemonSettings`."""

from pydantic import BaseModel, Field, field_validator

from supervisor.settings.engine_url import checked_engine_url
from supervisor.settings.files import File


class EngineSettings(BaseModel):
    """The address of the engine, the files for access to it, and how often and how long the worker asks."""

    engine_url: str = Field(description="The engine's base URL, such as http://engine:3030.")
    heartbeat_seconds: float = Field(
        default=20, gt=0, le=100, description="How often the worker tells the engine that it is alive."
    )
    poll_seconds: float = Field(
        default=1, gt=0, description="How often an idle worker asks for jobs (plus or minus 10 %)."
    )
    startup_retry_seconds: float = Field(
        default=120,
        ge=0,
        description="How long the worker waits at its start for an engine that it can't reach.",
    )
    request_timeout_seconds: float = Field(
        default=30,
        gt=0,
        description="How long one request to the engine may take. A large result gets a second more for each 64 KiB.",
    )
    engine_job_timeout_seconds: float = Field(
        default=720,
        gt=0,
        description="After how long the engine gives up a job (its BLACKBOARD_STUCK_JOB_TIMEOUT).",
    )
    engine_ca_file: File = Field(default=None, description="CA certificates for an engine behind TLS.")
    engine_client_certificate: File = Field(default=None, description="A client certificate for the engine.")
    engine_client_key: File = Field(
        default=None, description="The key of the client certificate, if it is in another file."
    )
    engine_token_file: File = Field(default=None, description="A file with a bearer token for the engine.")

    @field_validator("engine_url")
    @classmethod
    def _is_url(cls, value: str) -> str:
        return checked_engine_url(value)
