"""The daemon's settings as a start here and now would read them, and where each comes from."""

from dataclasses import asdict
from typing import Any

from pydantic import ValidationError

from supervisor.settings.origins import origins_of, setting_rows
from supervisor.settings.problems import settings_problems
from supervisor.settings.run_settings import ENV_PREFIX, DaemonSettings


class _SettingsHere(DaemonSettings):
    """Also without an engine: if none is set, the other settings must still be shown."""

    engine_url: str = ""


def settings_here() -> dict[str, Any]:
    """Return value and origin of each setting; if one is wrong, what is wrong, and only the origins."""
    origins = origins_of(_SettingsHere, [], ENV_PREFIX)
    try:
        settings = _SettingsHere()
    except (ValidationError, OSError, UnicodeDecodeError) as error:
        return {"problems": settings_problems(error, [], ENV_PREFIX), "origins": origins}
    settings.come_from(origins)
    return {"settings": [asdict(row) for row in setting_rows(settings)]}
