"""The base class of the errors of a session on a device, and how each cause gets its error."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Final

from sdk.connection.causes import Cause
from sdk.connection.meanings import MEANINGS
from sdk.errors import SdkError
from sdk.masking import hiding, hiding_all

MAX_LINE_LENGTH: Final = 160
"""The limit for a device's own words in a message, in characters."""

_classes: Final[dict[Cause, type[DeviceError]]] = {}


class DeviceError(SdkError):
    """A session on a device failed. If it leaves a block, the job fails with its text and `retryable`.

    `str()` says what happened, to which device, and what to do. `cause` is for programs. `retryable` says whether
    it can help to wait. `where` names the device ("192.0.2.1 port 22"). `last_line` is the last thing that the device
    said, masked and cut, or None.
    """

    cause: ClassVar[Cause] = Cause.UNEXPECTED
    needs_no_traceback = True

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        _classes.setdefault(cls.cause, cls)

    def __init__(self, message: str, *, where: str, retryable: bool, last_line: str | None = None) -> None:
        super().__init__(message)
        self.where = where
        self.retryable = retryable
        self.last_line = last_line

    def __reduce__(self) -> tuple[Callable[..., DeviceError], tuple[object, ...]]:
        # pickle makes an exception again from its positional arguments, and these are keywords.
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

    `secrets` are those of the login. The code that writes messages masks the secrets in a job's parameters.
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


def beginning_of(text: str, characters: int, secrets: frozenset[str]) -> str:
    """Return the first characters of a longer text, for a message, without the part of a secret that a cut would leave.

    `secrets` are those of the login. This hides the secrets of the job as well: code that masks the message later can
    find only whole secrets.
    """
    if len(text) <= characters:
        return text
    return hiding_all(secrets)(text[:characters], cut_after=True) + " …"


def _shown(line: str, secrets: frozenset[str]) -> str:
    printable = "".join(sign if sign.isprintable() else " " for sign in line).strip()
    if len(printable) <= MAX_LINE_LENGTH:
        return hiding(secrets)(printable)
    # Masked before it is cut: if a cut goes through a secret, nobody would find its rest. Also masked by all secrets
    # of the job: code that masks the message later can find only whole secrets.
    masked = hiding_all(secrets)(printable)
    return masked if len(masked) <= MAX_LINE_LENGTH else masked[:MAX_LINE_LENGTH] + " …"
