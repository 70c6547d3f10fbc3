"""What every case shares."""

from typing import Final

LIMIT_SECONDS: Final = 3.0
"""For a login or a command that only its limit ends."""

FAR_SECONDS: Final = 6.0
"""For a login that only its limit ends, after some steps: a slow machine must have taken these by then."""

PATIENT_SECONDS: Final = 20.0
"""For every other login and command: it ends by itself, on a slow machine too before this."""

ASKED: Final = "show version"
"""The command that faults are scripted for."""
