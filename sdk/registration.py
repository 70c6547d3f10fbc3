"""What a block declares about itself. It is checked at the declaration."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sdk.errors import RegistrationError
from sdk.models import FunctionBlockParams, FunctionBlockResultData

# The engine keeps the help text in a varchar(255) column (engine contract: block ids).
MAX_HELP_LENGTH = 255

# What the newer generation of the engine accepts. 0.42 accepts no hyphen; the worker and `check` warn of that.
_ID_PART = re.compile(r"[^/:\s]+")


class RunOn(StrEnum):
    """On what one job of a block runs."""

    GLOBAL = "global"
    DEVICE = "device"
    INTERFACE = "interface"
    GROUP = "group"
    CLIENT = "client"


class FbType(StrEnum):
    """What a block does."""

    CONFIGURE = "configure"
    FACTS = "facts"
    CHECK = "check"
    EXECUTE = "execute"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Registration:
    """A block's id, models, properties and limits.

    The engine decides by `is_pure`, `is_idempotent` and `reversible` about retries and rollbacks; nobody checks them.
    Raises `RegistrationError` (an `SdkError`), so a wrong declaration shows when its module is imported.
    """

    name: str
    """Second part of the id. Like `package` without `/`, `:` and blanks; `-` works only for engines from 0.43 on."""

    description: str
    """One line for people."""

    package: str
    """First part of the id. Names must be unique only within it."""

    run_on: str
    """On what one job runs: `global`, `device`, `interface`, `group` or `client`."""

    fb_type: str
    """What the block does: `configure`, `facts`, `check`, `execute` or `none`."""

    param_cls: type[FunctionBlockParams]
    """The class of its parameters."""

    result_cls: type[FunctionBlockResultData]
    """The class of its result's data."""

    markdown_helptext: str = "No helptext provided"
    """Help in Markdown, at most 255 characters: the engine keeps no more (engine contract: block ids)."""

    version: tuple[int, int, int] = (1, 0, 0)
    """Third part of the id. Several versions can be registered at the same time."""

    deprecated: bool = False
    """Whether new workflows should avoid it."""

    is_idempotent: bool = False
    """Whether it does no harm to run it again."""

    is_pure: bool = False
    """Whether it has no side effects."""

    reversible: bool = False
    """Whether `rollback` undoes `run`. It is refused for a block without a `rollback`."""

    max_seconds: float | None = None
    """The time limit of one job in seconds; with None the worker's setting applies. It can't exceed that setting."""

    max_memory_mb: int | None = None
    """The memory limit of one job, with all processes it starts, in MiB; with None the worker's setting applies."""

    max_cpu_seconds: float | None = None
    """How much processor time one job may use, with all processes it starts, in seconds. Two busy processors use two
    seconds in one second. With None the worker's setting applies. It can't exceed that setting."""

    max_concurrent: int | None = None
    """How many jobs of this block one worker runs at a time; None: as many as it has slots. An operator may set another
    number (`--block-slots`). Each worker counts only its own jobs."""

    def __post_init__(self) -> None:
        _check_id(self)
        _check_texts(self)
        _check_choice(self, "run_on", RunOn)
        _check_choice(self, "fb_type", FbType)
        self._check_model("param_cls", FunctionBlockParams)
        self._check_model("result_cls", FunctionBlockResultData)
        _check_flags(self)
        _check_limits(self)

    def _check_model(self, field: str, base: type) -> None:
        # A method, because the models of another SDK have another base class (`sdk.compat.installed`).
        value: Any = getattr(self, field)
        if not isinstance(value, type) or not issubclass(value, base):
            raise _refusal(self, f"{field} is {value!r}", f"Give a subclass of {base.__name__}.")

    @property
    def identifier(self) -> str:
        """The id under which the engine knows the block: `package/name:M.m.p`."""
        return f"{self.package}/{self.name}:{'.'.join(map(str, self.version))}"

    @property
    def major_version(self) -> int:
        """First part of the version."""
        return self.version[0]

    @property
    def minor_version(self) -> int:
        """Second part of the version."""
        return self.version[1]

    @property
    def patch_version(self) -> int:
        """Third part of the version."""
        return self.version[2]


def _refusal(registration: Registration, what: str, advice: str) -> RegistrationError:
    return RegistrationError(what, where=f"{registration.package}/{registration.name}", advice=advice)


def _check_id(registration: Registration) -> None:
    for field in ("package", "name"):
        value: Any = getattr(registration, field)
        if not isinstance(value, str) or not _ID_PART.fullmatch(value):
            raise _refusal(
                registration,
                f"{field} {value!r} is not valid in a block id",
                "Use one or more characters, but no '/', ':' or blank; '_' is fine.",
            )
    version: Any = registration.version
    if (
        not isinstance(version, tuple | list)
        or len(version) != 3
        or any(type(part) is not int or part < 0 for part in version)
    ):
        raise _refusal(
            registration, f"version {version!r} is not valid", "Give three integers from 0 up: (1, 0, 0)."
        )
    # A block of `neops_worker_sdk` may pass a list, but the registration must stay hashable.
    object.__setattr__(registration, "version", tuple(version))


def _check_texts(registration: Registration) -> None:
    for field in ("description", "markdown_helptext"):
        if not isinstance(getattr(registration, field), str):
            raise _refusal(registration, f"{field} is not a string", "Give a text.")
    length = len(registration.markdown_helptext)
    if length > MAX_HELP_LENGTH:
        raise _refusal(
            registration,
            f"markdown_helptext has {length} characters, the engine keeps {MAX_HELP_LENGTH}",
            "Shorten it; the description has no such limit.",
        )


def _check_choice(registration: Registration, field: str, choices: type[StrEnum]) -> None:
    value: Any = getattr(registration, field)
    valid = [str(choice) for choice in choices]
    if value not in valid:
        raise _refusal(registration, f"{field} {value!r} is not known", f"Use one of {', '.join(valid)}.")
    object.__setattr__(registration, field, str(value))


def _check_flags(registration: Registration) -> None:
    for field in ("deprecated", "is_idempotent", "is_pure", "reversible"):
        if not isinstance(getattr(registration, field), bool):
            raise _refusal(registration, f"{field} is not a bool", "Give True or False.")


def _check_limits(registration: Registration) -> None:
    for field in ("max_seconds", "max_cpu_seconds"):
        seconds: Any = getattr(registration, field)
        if seconds is not None and (
            isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds < math.inf
        ):
            raise _refusal(
                registration, f"{field} is {seconds!r}", "Give a finite number of seconds above 0, or None."
            )
    for field, unit in (("max_memory_mb", "MiB"), ("max_concurrent", "jobs")):
        number: Any = getattr(registration, field)
        if number is not None and (type(number) is not int or number <= 0):
            raise _refusal(
                registration, f"{field} is {number!r}", f"Give a whole number of {unit} above 0, or None."
            )
