"""The result of a check."""

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """The state. Only `failed` keeps the worker, or a part of its promises, from working."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check: what was found, what it means, and what to do about it (empty if nothing)."""

    check: str
    status: Status
    text: str
    advice: str = ""


def ok(check: str, text: str) -> Finding:
    """Return a finding that all is well."""
    return Finding(check, Status.OK, text)


def warning(check: str, text: str, advice: str) -> Finding:
    """Return a finding that something works, but not as well as it could."""
    return Finding(check, Status.WARNING, text, advice)


def failed(check: str, text: str, advice: str) -> Finding:
    """Return a finding that something does not work."""
    return Finding(check, Status.FAILED, text, advice)
