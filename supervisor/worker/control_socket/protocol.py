"""The format of the control socket: one JSON object on a line, in both directions, with a cap for each.

A client sends `{"secret": …, "command": …, "arguments": {…}}`. If the secret is right, the worker first sends an empty
line. Then it sends `{"ok": true, "data": …}`, or `{"ok": false, "cause": …, "message": …}`. A stream is several such
lines, at least one, and ends with the connection. A refused client gets no byte.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from supervisor.errors import SupervisorError

REQUEST_CAP_BYTES: Final = 64 * 1024
REPLY_CAP_BYTES: Final = 8 * 2**20
_NAME_CHARS: Final = 64
ADMITTED: Final = b"\n"
"""Shows the client that it may ask: if no answer follows, this is not a refusal."""

JsonObject = dict[str, Any]
_T = TypeVar("_T")


class ControlError(SupervisorError):
    """The worker refuses. `cause` is for programs (`exit_codes.py`), the message for people."""

    def __init__(self, cause: str, message: str) -> None:
        super().__init__(message)
        self.cause = cause


@dataclass(frozen=True, slots=True)
class Peer:
    """The client, as the kernel reports it. `name` is the user's, or its number."""

    pid: int
    uid: int
    name: str


@dataclass(frozen=True, slots=True)
class Request:
    """The request of a client that may ask."""

    command: str
    arguments: Mapping[str, Any]
    peer: Peer

    def text(self, name: str) -> str:
        """Return an argument that must be a text. Raises `ControlError`."""
        return self._checked(name, self.arguments.get(name), str, "a text")

    def number(self, name: str, default: float) -> float:
        """Return an argument that is a number, at least 0. Raises `ControlError`."""
        value = self.arguments.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
            raise _wrong(self.command, name, "a number, 0 or more")
        return value

    def flag(self, name: str) -> bool:
        """Return an argument that is true or false; false if it was not given. Raises `ControlError`."""
        return self._checked(name, self.arguments.get(name, False), bool, "true or false")

    def _checked(self, name: str, value: Any, kind: type[_T], what: str) -> _T:
        if not isinstance(value, kind):
            raise _wrong(self.command, name, what)
        return value


def _wrong(command: str, name: str, what: str) -> ControlError:
    return ControlError("wrong_arguments", f"`{command}` needs {what} as {name}.")


def request_line(secret: str, command: str, arguments: Mapping[str, Any]) -> bytes:
    """Return a request in the form that a client sends."""
    return _line({"secret": secret, "command": command, "arguments": dict(arguments)})


def read_request(line: bytes) -> tuple[str, str, Mapping[str, Any]] | None:
    """Return secret, command and arguments, `None` if it is not a request. Never raises."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    secret, command, arguments = (found.get(name) for name in ("secret", "command", "arguments"))
    if not isinstance(secret, str) or not isinstance(command, str) or not isinstance(arguments, dict):
        return None
    return secret, command[:_NAME_CHARS], arguments


def reply_line(data: JsonObject) -> bytes:
    """Return an answer in the form that the worker sends. An answer over the cap becomes an error."""
    line = _line({"ok": True, "data": data})
    if len(line) > REPLY_CAP_BYTES:
        return error_line(
            ControlError("too_large", f"The answer has more than {REPLY_CAP_BYTES // 2**20} MB.")
        )
    return line


def error_line(error: ControlError) -> bytes:
    """Return an answer that refuses."""
    return _line({"ok": False, "cause": error.cause, "message": str(error)})


def read_reply(line: bytes) -> JsonObject:
    """Return the data of an answer. Raises `ControlError` for a refusal, `ValueError` if it is not an answer."""
    try:
        found = json.loads(line)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(found, dict):
        raise ValueError("no JSON object")  # noqa: TRY004  # of the text, not of an argument
    if found.get("ok") is True and isinstance(data := found.get("data"), dict):
        return data
    if isinstance(cause := found.get("cause"), str) and isinstance(message := found.get("message"), str):
        raise ControlError(cause, message)
    raise ValueError("no answer")


def _line(value: JsonObject) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"
