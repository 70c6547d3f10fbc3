"""Emulated devices for tests and demonstrations: real SSH on the loopback, made-up answers.

They need the `emulator` extra. Everything that they print is invented. If something works here, you must still try it
on a real device.
"""

from sdk.testing.devices.errors import EmulatorMissingError

try:
    import asyncssh as _asyncssh  # noqa: F401  # imported first, to report that it is missing before others fail
except ImportError as error:
    raise EmulatorMissingError(
        "The emulated devices need the library `asyncssh`, which can't be imported here. "
        "Install it with: pip install 'neops-supervisor[emulator]'",
        name="asyncssh",
    ) from error

from sdk.testing.devices.emulated_ios import EmulatedIos
from sdk.testing.devices.faults import Faults
from sdk.testing.devices.lab import EmulatedLab, LabDevice

__all__ = ["EmulatedIos", "EmulatedLab", "EmulatorMissingError", "Faults", "LabDevice"]
