"""From settings to how the engine is reached."""

from supervisor.engine.http import EngineAccess
from supervisor.settings.run_settings import DaemonSettings


def access_of(settings: DaemonSettings) -> EngineAccess:
    """Return where the engine is, and what is needed to reach it."""
    return EngineAccess(
        url=settings.engine_url,
        request_seconds=settings.request_timeout_seconds,
        ca_file=settings.engine_ca_file,
        client_certificate=settings.engine_client_certificate,
        client_key=settings.engine_client_key,
        token_file=settings.engine_token_file,
    )
