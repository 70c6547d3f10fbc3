"""What can go wrong with a session, told from the many ways in which netmiko and paramiko tell it.

No text of theirs is passed on: some of it holds what was sent or received, most of it advises programmers.
"""

import os

from netmiko import NetmikoAuthenticationException
from netmiko.exceptions import ReadTimeout
from paramiko.ssh_exception import SSHException  # type: ignore[import-untyped]  # ships no types


class DeviceError(Exception):
    """A session failed. `str()` says what happened and what to do, `retryable` if another try can help."""

    def __init__(self, message: str, *, retryable: bool) -> None:
        super().__init__(message)
        self.retryable = retryable


class UnexpectedDeviceError(DeviceError):
    """netmiko raised something that is no failure of a device. Its cause is worth a traceback in the log."""


def unreachable(where: str, error: OSError) -> DeviceError:
    """No TCP connection: a name that is not known, a refusal, no route."""
    # asyncio puts a text of its own in the place of the system's; the number of a name's error is negative.
    number = error.errno or 0
    reason = os.strerror(number) if number > 0 else error.strerror or str(error)
    return DeviceError(
        f"{where} can't be reached: {reason}. Check its address, the port and that its SSH service runs.",
        retryable=True,
    )


def too_slow(where: str, what: str, seconds: float) -> DeviceError:
    """The device did not do `what` in time."""
    message = f"{where} did not {what} within {seconds:g} s. Check the device, or allow more time."
    return DeviceError(message, retryable=True)


def from_login(where: str, error: Exception) -> DeviceError:
    """Translate what netmiko raised while it logged in."""
    if isinstance(error, NetmikoAuthenticationException):
        return DeviceError(
            f"{where} refused the username or the password. "
            "Check the credentials of the device in the inventory.",
            retryable=False,
        )
    # netmiko raises its time-out class for this too, within milliseconds; only the text tells.
    if "Incompatible ssh peer" in str(error):
        return DeviceError(
            f"{where} and this worker have no SSH algorithm in common. Enable a modern key exchange and host "
            "key on the device. (paramiko 5 refuses all that needs SHA-1; version 4 still has it.)",
            retryable=False,
        )
    if isinstance(error, ReadTimeout):
        return DeviceError(
            f"{where} accepted the login but showed no prompt that fits its platform. "
            "Check the platform in the inventory, or give `device_type`.",
            retryable=True,
        )
    if isinstance(error, SSHException | OSError | EOFError):
        return DeviceError(
            f"{where} ended the connection during the login. Check the device.", retryable=True
        )
    return _unexpected(where, "the login", error)


def from_command(where: str, command: str, seconds: float, error: Exception) -> DeviceError:
    """Translate what netmiko raised while it waited for the output of a command."""
    if isinstance(error, ReadTimeout):
        return too_slow(where, f"finish the command {command!r}", seconds)
    if isinstance(error, SSHException | OSError | EOFError):
        message = f"{where} ended the connection during the command {command!r}. Check the device."
        return DeviceError(message, retryable=True)
    return _unexpected(where, f"the command {command!r}", error)


def _unexpected(where: str, when: str, error: Exception) -> UnexpectedDeviceError:
    return UnexpectedDeviceError(
        f"netmiko raised {type(error).__name__} on {where} during {when}. The traceback is in the job's log.",
        retryable=True,
    )
