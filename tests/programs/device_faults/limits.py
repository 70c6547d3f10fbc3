"""What every case shares."""

from typing import Final

LIMIT_SECONDS: Final = 3.0
"""For a login, and for a command."""

ASKED: Final = "show version"
"""The command that faults are scripted for."""
