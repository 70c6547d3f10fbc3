"""Files with tokens and keys: whether the worker can read them, and who else can."""

import os
import stat
from pathlib import Path
from typing import Final

from supervisor.commands.doctor.finding import Finding, failed, ok, warning
from supervisor.errors import StartRefusedError
from supervisor.process.user_names import user_name
from supervisor.settings.run_settings import DaemonSettings
from supervisor.settings.token_file import read_health_token

_FILES: Final = ("engine_token_file", "engine_client_key", "engine_client_certificate", "health_token_file")
"""Settings that name a file with a secret. A client certificate may contain its key too."""

_LENT: Final = Path("/run/credentials")
"""Where systemd passes files to a service (LoadCredential=): each only to its user, by an access list if possible. The
mode then shows the list's mask in place of the group's rights (acl(5))."""
_SOMEBODY: Final = 65534
"""Any user who is not root: the one to whom a file of root's was passed."""


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
    token, for_whom = settings.health_token_file, ""
    if token is not None:
        worker = _user_of_the_service(token)
        try:
            read_health_token(token, worker)
        except StartRefusedError as error:
            return failed("credentials", str(error), "The worker does not start like this.")
        if worker is not None and worker != _SOMEBODY:
            for_whom = f"; {token} is right for a worker that runs as {user_name(worker)}"
    open_ones = [path for path in given if not path.is_relative_to(_LENT) and _is_open(path)]
    if open_ones:
        names = " ".join(map(str, open_ones))
        return warning("credentials", f"Not only the owner can reach {names}.", f"chmod 600 {names}")
    return ok("credentials", f"{len(given)} file(s), which only their owner can read{for_whom}")


def _user_of_the_service(token: Path) -> int | None:
    """Return the user for whom root checks this file: a service's, if the file is another user's, or was passed."""
    if os.geteuid() != 0:
        return None
    return token.stat().st_uid or (_SOMEBODY if token.is_relative_to(_LENT) else None)


def _is_open(path: Path) -> bool:
    """Whether others than its owner can read it, and it is more than a certificate, which is public."""
    if not path.stat().st_mode & (stat.S_IRWXO | stat.S_IRWXG):
        return False
    content = path.read_bytes()
    return b"CERTIFICATE" not in content or b"PRIVATE KEY" in content
