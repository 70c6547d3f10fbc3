"""What a session on a device raises: one class for each cause, all of them `DeviceError`.

The texts are in `sdk.connection.causes`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Final

from sdk.connection.causes import MEANINGS, Cause
from sdk.errors import SdkError
from sdk.masking import hiding

MAX_LINE_LENGTH: Final = 160
"""Of a device's own words in a message, in characters."""

_classes: Final[dict[Cause, type[DeviceError]]] = {}


class DeviceError(SdkError):
    """A session on a device failed. One that leaves a block becomes a failed result with its text and `retryable`.

    `str()` says what happened, to which device, and what to do. `cause` is for programs, `retryable` says whether
    waiting can help, `where` names the device ("192.0.2.1 port 22"), `last_line` is the last thing that the device
    said, masked and cut, or None.
    """

    cause: ClassVar[Cause] = Cause.UNEXPECTED

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        _classes.setdefault(cls.cause, cls)

    def __init__(self, message: str, *, where: str, retryable: bool, last_line: str | None = None) -> None:
        super().__init__(message)
        self.where = where
        self.retryable = retryable
        self.last_line = last_line

    def __reduce__(self) -> tuple[Callable[..., DeviceError], tuple[object, ...]]:
        # An exception is pickled by its arguments, and these are keywords.
        return _rebuild, (type(self), str(self), self.where, self.retryable, self.last_line)


def _rebuild(
    kind: type[DeviceError], message: str, where: str, retryable: bool, last_line: str | None
) -> DeviceError:
    return kind(message, where=where, retryable=retryable, last_line=last_line)


def fail(
    cause: Cause,
    where: str,
    *,
    last_line: str | None = None,
    secrets: frozenset[str] = frozenset(),
    **facts: object,
) -> DeviceError:
    """Return the error for `cause`. `facts` fill the text of the cause; `last_line` is masked and cut here.

    `secrets` are those of the login; what a job's parameters hold is masked where messages are.
    """
    meaning = MEANINGS[cause]
    hide = hiding(secrets)
    shown = _shown(last_line, secrets) if last_line else None
    text = f"{where} {meaning.text.format_map(facts)}."
    if shown:
        text += f' The last line: "{shown}".'
    return _classes[cause](
        f"{hide(text)} {meaning.advice.format_map(facts)}",
        where=where,
        retryable=meaning.retryable,
        last_line=shown,
    )


def _shown(line: str, secrets: frozenset[str]) -> str:
    printable = "".join(sign if sign.isprintable() else " " for sign in line).strip()
    # Masked before it is cut: of a secret that the cut goes through, the rest would not be found.
    masked = hiding(secrets)(printable)
    return masked if len(masked) <= MAX_LINE_LENGTH else masked[:MAX_LINE_LENGTH] + " …"


class NoDeviceError(DeviceError):
    """The job has no device."""

    cause = Cause.NO_DEVICE


class NoAddressError(DeviceError):
    """The device has neither an address nor a host name."""

    cause = Cause.NO_ADDRESS


class NoLoginError(DeviceError):
    """The device has no username, or neither a password nor a key."""

    cause = Cause.NO_LOGIN


class BadPortError(DeviceError):
    """The port is no number of a port."""

    cause = Cause.BAD_PORT


class BadConnectionOptionsError(DeviceError):
    """The connection options of the device are no JSON object of what is known there."""

    cause = Cause.BAD_CONNECTION_OPTIONS


class NoJumpHostError(DeviceError):
    """A jump host is asked for, and has no address."""

    cause = Cause.NO_JUMP_HOST


class BadKeyFileError(DeviceError):
    """The private key can't be read, or needs another passphrase."""

    cause = Cause.BAD_KEY_FILE


class NoPlatformError(DeviceError):
    """The device has no platform."""

    cause = Cause.NO_PLATFORM


class UnknownPlatformError(DeviceError):
    """Neither a plugin nor netmiko knows the platform."""

    cause = Cause.UNKNOWN_PLATFORM


class NotSupportedError(DeviceError):
    """The plugin of the platform lacks what was asked for."""

    cause = Cause.NOT_SUPPORTED


class UnknownNameError(DeviceError):
    """The host name is not known."""

    cause = Cause.UNKNOWN_NAME


class UnreachableError(DeviceError):
    """No TCP connection: refused, no route."""

    cause = Cause.UNREACHABLE


class ConnectTimeoutError(DeviceError):
    """No TCP connection in time: nothing answered."""

    cause = Cause.CONNECT_TIMEOUT


class NotSshError(DeviceError):
    """Another service answers on the port: HTTP, telnet."""

    cause = Cause.NOT_SSH


class NoBannerError(DeviceError):
    """The port accepts connections and says nothing."""

    cause = Cause.NO_BANNER


class EndlessBannerError(DeviceError):
    """Lines without end, and no SSH banner among them."""

    cause = Cause.ENDLESS_BANNER


class NoKeyExchangeError(DeviceError):
    """The SSH banner came, the key exchange did not end."""

    cause = Cause.NO_KEY_EXCHANGE


class NoCommonAlgorithmError(DeviceError):
    """Device and worker share no algorithm."""

    cause = Cause.NO_COMMON_ALGORITHM


class HostKeyChangedError(DeviceError):
    """The device has shown another host key than the one that is known. No password was sent."""

    cause = Cause.HOST_KEY_CHANGED


class HostKeyUnknownError(DeviceError):
    """The device's host key is not known, and none is to be accepted that is not. No password was sent."""

    cause = Cause.HOST_KEY_UNKNOWN


class JumpHostForbidsError(DeviceError):
    """The jump host forwards no connections."""

    cause = Cause.JUMP_HOST_FORBIDS


class WrongPasswordError(DeviceError):
    """Username, password or key refused."""

    cause = Cause.WRONG_PASSWORD


class NoLoginMethodError(DeviceError):
    """The device does not take the kind of login that is known, such as a password."""

    cause = Cause.NO_LOGIN_METHOD


class SecondFactorError(DeviceError):
    """The device asks for a second factor."""

    cause = Cause.SECOND_FACTOR


class ExpiredPasswordError(DeviceError):
    """The device wants a new password."""

    cause = Cause.EXPIRED_PASSWORD


class LoginTimeoutError(DeviceError):
    """The login was not answered in time."""

    cause = Cause.LOGIN_TIMEOUT


class SessionLimitError(DeviceError):
    """The device gives no further session."""

    cause = Cause.SESSION_LIMIT


class SessionsTakenError(DeviceError):
    """Other jobs, or this one, have all sessions that the worker may have on the device."""

    cause = Cause.SESSIONS_TAKEN


class NoPromptError(DeviceError):
    """Logged in, but no prompt came in time."""

    cause = Cause.NO_PROMPT


class WrongPlatformError(DeviceError):
    """What answers is not of the platform in the inventory."""

    cause = Cause.WRONG_PLATFORM


class ForeignShellError(DeviceError):
    """The login leads to a shell of an operating system, which does not know the commands."""

    cause = Cause.FOREIGN_SHELL


class NoEnableSecretError(DeviceError):
    """The device asks for an enable secret, and none is known."""

    cause = Cause.NO_ENABLE_SECRET


class WrongEnableSecretError(DeviceError):
    """The enable secret was refused."""

    cause = Cause.WRONG_ENABLE_SECRET


class PagerError(DeviceError):
    """The output stopped at a pager."""

    cause = Cause.PAGER


class QuestionError(DeviceError):
    """The device asked a question that nobody answers."""

    cause = Cause.QUESTION


class PasswordAskedError(DeviceError):
    """The device asked for a password that nobody gives."""

    cause = Cause.PASSWORD_ASKED


class RefusedCommandError(DeviceError):
    """The device does not take a command whose answer is needed."""

    cause = Cause.REFUSED_COMMAND


class UnreadableAnswerError(DeviceError):
    """The answer of the device is not what its platform prints."""

    cause = Cause.UNREADABLE_ANSWER


class UnexpectedAnswerError(DeviceError):
    """A step of `send_interactive` was not answered as expected."""

    cause = Cause.UNEXPECTED_ANSWER


class CommandTimeoutError(DeviceError):
    """A command did not finish in time."""

    cause = Cause.COMMAND_TIMEOUT


class ConnectionLostError(DeviceError):
    """The connection ended in the middle."""

    cause = Cause.CONNECTION_LOST


class SessionEndedError(DeviceError):
    """The session was used after its end."""

    cause = Cause.SESSION_ENDED


class DeviceTimeoutError(DeviceError):
    """The function of `for_each_device` was not done with the device in time."""

    cause = Cause.DEVICE_TIMEOUT


class UnexpectedDeviceError(DeviceError):
    """netmiko or paramiko raised what is no failure of a device that is known here."""

    cause = Cause.UNEXPECTED
