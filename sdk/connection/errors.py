"""The errors of a session on a device: one class for each cause, all of them `DeviceError`.

Their texts are in `sdk.connection.meanings`.
"""

from __future__ import annotations

from sdk.connection.causes import Cause
from sdk.connection.device_error import MAX_LINE_LENGTH, DeviceError, fail
from sdk.connection.reaching_errors import (
    BadAddressError,
    BadConnectionOptionsError,
    BadKeyFileError,
    BadLoginError,
    BadPortError,
    ConnectTimeoutError,
    EndlessBannerError,
    HostKeyChangedError,
    HostKeyUnknownError,
    JumpHostForbidsError,
    NoAddressError,
    NoBannerError,
    NoCommonAlgorithmError,
    NoDeviceError,
    NoJumpHostError,
    NoKeyExchangeError,
    NoLoginError,
    NoPlatformError,
    NotSshError,
    NotSupportedError,
    UnknownNameError,
    UnknownPlatformError,
    UnreachableError,
)

__all__ = [
    "MAX_LINE_LENGTH",
    "BadAddressError",
    "BadCommandError",
    "BadConnectionOptionsError",
    "BadKeyFileError",
    "BadLoginError",
    "BadPortError",
    "CommandTimeoutError",
    "ConnectTimeoutError",
    "ConnectionLostError",
    "DeviceError",
    "DeviceTimeoutError",
    "EndlessBannerError",
    "ExpiredPasswordError",
    "ForeignShellError",
    "HostKeyChangedError",
    "HostKeyUnknownError",
    "JumpHostForbidsError",
    "LoginTimeoutError",
    "NoAddressError",
    "NoBannerError",
    "NoCommonAlgorithmError",
    "NoDeviceError",
    "NoEnableSecretError",
    "NoJumpHostError",
    "NoKeyExchangeError",
    "NoLoginError",
    "NoLoginMethodError",
    "NoPlatformError",
    "NoPromptError",
    "NotSshError",
    "NotSupportedError",
    "PagerError",
    "PasswordAskedError",
    "QuestionError",
    "RefusedCommandError",
    "SecondFactorError",
    "SessionEndedError",
    "SessionLimitError",
    "SessionLogError",
    "SessionsTakenError",
    "UnexpectedAnswerError",
    "UnexpectedDeviceError",
    "UnknownNameError",
    "UnknownPlatformError",
    "UnreachableError",
    "UnreadableAnswerError",
    "WrongEnableSecretError",
    "WrongPasswordError",
    "WrongPlatformError",
    "fail",
]


class WrongPasswordError(DeviceError):
    """Username, password or key refused."""

    cause = Cause.WRONG_PASSWORD


class NoLoginMethodError(DeviceError):
    """The device does not accept the login methods that the login has, such as a password."""

    cause = Cause.NO_LOGIN_METHOD


class SecondFactorError(DeviceError):
    """The device asks for a second factor."""

    cause = Cause.SECOND_FACTOR


class ExpiredPasswordError(DeviceError):
    """The device wants a new password."""

    cause = Cause.EXPIRED_PASSWORD


class LoginTimeoutError(DeviceError):
    """The device did not answer the login in time."""

    cause = Cause.LOGIN_TIMEOUT


class SessionLimitError(DeviceError):
    """The device allows no further session."""

    cause = Cause.SESSION_LIMIT


class SessionsTakenError(DeviceError):
    """Other jobs, or this one, use all sessions that the worker may have on the device."""

    cause = Cause.SESSIONS_TAKEN


class NoPromptError(DeviceError):
    """The login worked, but no prompt came in time."""

    cause = Cause.NO_PROMPT


class WrongPlatformError(DeviceError):
    """The device is not of the platform in the inventory."""

    cause = Cause.WRONG_PLATFORM


class ForeignShellError(DeviceError):
    """The login leads to a shell of an operating system, which does not know the commands."""

    cause = Cause.FOREIGN_SHELL


class NoEnableSecretError(DeviceError):
    """The device asks for an enable secret, and the login has none."""

    cause = Cause.NO_ENABLE_SECRET


class WrongEnableSecretError(DeviceError):
    """The enable secret was refused."""

    cause = Cause.WRONG_ENABLE_SECRET


class BadCommandError(DeviceError):
    """A command is not one line of text, or a pattern of a dialogue is not a regular expression. Nothing was sent."""

    cause = Cause.BAD_COMMAND


class PagerError(DeviceError):
    """The output stopped at a pager."""

    cause = Cause.PAGER


class QuestionError(DeviceError):
    """The device asked a question, and nothing answers it."""

    cause = Cause.QUESTION


class PasswordAskedError(DeviceError):
    """The device asked for a password, and nothing gives it."""

    cause = Cause.PASSWORD_ASKED


class RefusedCommandError(DeviceError):
    """The device refused a command whose answer is needed."""

    cause = Cause.REFUSED_COMMAND


class UnreadableAnswerError(DeviceError):
    """The device's answer is not what its platform prints."""

    cause = Cause.UNREADABLE_ANSWER


class UnexpectedAnswerError(DeviceError):
    """A step of `send_interactive` got another answer than expected. `said` is what the device has said until then."""

    cause = Cause.UNEXPECTED_ANSWER
    said: str = ""


class CommandTimeoutError(DeviceError):
    """A command did not finish in time."""

    cause = Cause.COMMAND_TIMEOUT


class ConnectionLostError(DeviceError):
    """The connection ended in the middle of something."""

    cause = Cause.CONNECTION_LOST


class SessionEndedError(DeviceError):
    """The session was used after its end."""

    cause = Cause.SESSION_ENDED


class SessionLogError(DeviceError):
    """The function that was given as `session_log` raised an error. The session ended with it."""

    cause = Cause.SESSION_LOG_FAILED


class DeviceTimeoutError(DeviceError):
    """The function of `for_each_device` was not done with the device in time."""

    cause = Cause.DEVICE_TIMEOUT


class UnexpectedDeviceError(DeviceError):
    """netmiko or paramiko raised an error that this SDK does not know as a failure of a device."""

    cause = Cause.UNEXPECTED
