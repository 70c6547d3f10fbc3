"""All errors of the embedded engine, as one family with fields."""

from __future__ import annotations

from pathlib import Path


class DevEngineError(Exception):
    """Base class of all errors of the embedded engine. `str(error)` is a complete message for a person."""


class EngineOptionsError(DevEngineError):
    """The engine can't work with the value of an option. Change the option that the message names."""


class EngineStateError(DevEngineError):
    """A call needs a started engine, or the engine stopped while the call was waiting."""


class ListenError(DevEngineError):
    """The listening socket could not be opened. Choose another port, or end the program that uses this one."""


class DatabaseError(DevEngineError):
    """The database file can't be used: it is not ours, not writable, or used by another engine."""


class TokenFileError(DevEngineError):
    """The file for the token can't be written. `path` is the file, `reason` what the system reported."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"the file for the token, {path}, can't be written: {reason}; "
            "name one in a directory that is yours, and that is no directory itself"
        )
        self.path = path
        self.reason = reason


class RequestError(DevEngineError):
    """A request was refused.

    `status` is the HTTP status, `messages` are the reasons (the `message` list of the answer). A reason never contains
    values from the request: they may be secrets.
    """

    status = 400

    def __init__(self, *messages: str) -> None:
        super().__init__("; ".join(messages))
        self.messages = messages


class SubmissionError(RequestError):
    """The engine can't hand out the submitted job."""


class TokenError(RequestError):
    """The request lacks the token that the engine, or this route, requires."""

    status = 401


class HeaderError(RequestError):
    """The request does not come from a program on this machine that wants to talk to the engine."""

    status = 403


class NotFoundError(RequestError):
    """The request names a worker, job or block that the engine does not know."""

    status = 404


class ConflictError(RequestError):
    """The job already has its result; the first one stays (engine contract W6)."""

    status = 409


class ContentTypeError(RequestError):
    """The body of the request is not declared as JSON."""

    status = 415
