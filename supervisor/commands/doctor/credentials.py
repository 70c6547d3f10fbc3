"""Files with tokens and keys: whether the worker can read them, and who else can."""

import os
import stat
from pathlib import Path
from typing import Final

from supervisor.commands.doctor.finding import Finding, failed, ok, warning
from supervisor.errors import StartRefusedError
from supervisor.settings.run_settings import DaemonSettings
from supervisor.settings.token_file import read_health_token

_FILES: Final = ("engine_token_file", "engine_client_key", "engine_client_certificate", "health_token_file")
"""Settings that name a file with a secret. A client certificate may hold its key too."""


def credentials(settings: DaemonSettings) -> Finding:
    """Whether each file with a secret can be read by this user, and by no other account than root."""
    given: list[Path] = [path for name in _FILES if (path := getattr(settings, name)) is not None]
    if not given:
        return ok("credentials", "no file with a token or key is set")
    for path in given:
        if not os.access(path, os.R_OK):
            return failed(
                "credentials",
                f"{path} can't be read by user {os.geteuid()}.",
                "Give it to the worker's user, or hand it over with LoadCredential= of the unit.",
            )
    if settings.health_token_file is not None:
        try:
            read_health_token(settings.health_token_file)
        except StartRefusedError as error:
            return failed("credentials", str(error), "The worker does not start like this.")
    open_ones = [
        path for path in given if path.stat().st_mode & (stat.S_IRWXO | stat.S_IRWXG) and _is_secret(path)
    ]
    if open_ones:
        names = " ".join(map(str, open_ones))
        return warning("credentials", f"Others than its owner can reach {names}.", f"chmod 600 {names}")
    return ok("credentials", f"{len(given)} file(s), which only their owner can read")


def _is_secret(path: Path) -> bool:
    """Whether it is more than a certificate, which is public."""
    content = path.read_bytes()
    return b"CERTIFICATE" not in content or b"PRIVATE KEY" in content
