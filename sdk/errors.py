"""The errors of the SDK. Everything that it raises on purpose is a `SdkError`.

Fields hold what went wrong, so that nobody must parse a message. No message holds the value of a parameter
or of an entity, because a job carries device passwords.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class SdkError(Exception):
    """Base class of all errors that the SDK raises on purpose. The others are in `sdk.errors`, with their own fields.

    No message holds the value of a parameter or of an entity. `retryable` says whether the same job may succeed later.
    It says no, unless a subclass sets it, as those for devices do (`sdk.connection.DeviceError`).
    """

    retryable: bool = False

    needs_no_traceback: bool = False
    """Whether its text says all that is needed. If it leaves a block, the log then has no traceback of it."""


class RegistrationError(SdkError):
    """A block can't be registered as it is declared.

    `what` says what is wrong, `where` names the block or its source, `advice` says what to change.
    """

    def __init__(self, what: str, *, where: str, advice: str) -> None:
        super().__init__(f"{where}: {what}. {advice}")
        self.what = what
        self.where = where
        self.advice = advice


class DuplicateBlockError(RegistrationError):
    """Two different classes have the same block id. The class that was registered first stays."""


class SchemaError(SdkError):
    """A parameter or result model can't be described by a JSON schema. `model` is the name of its class."""

    def __init__(self, model: str, reason: str) -> None:
        super().__init__(
            f"No JSON schema can be made of {model}: {reason}. "
            "Use types that pydantic can describe, and name them at the top of the module."
        )
        self.model = model
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with an input: where it is, of what kind, and a text without the value."""

    path: str
    type: str
    text: str

    def __str__(self) -> str:
        return f"{self.path}: {self.text}"


def join_problems(problems: Sequence[Problem], limit: int = 10) -> str:
    """Problems as one line, at most `limit` of them, so that a message stays readable."""
    shown = "; ".join(str(problem) for problem in problems[:limit])
    more = len(problems) - limit
    return f"{shown}; and {more} more" if more > 0 else shown


class ParameterError(SdkError):
    """The parameters of a job don't fit the block's model. `problems` lists all problems, without values."""

    def __init__(self, model: str, problems: Sequence[Problem]) -> None:
        super().__init__(
            f"The parameters do not fit {model}: {join_problems(problems)}. "
            "Correct the parameters of this step in the workflow."
        )
        self.model = model
        self.problems = tuple(problems)


class ContextError(SdkError):
    """The context of a job can't be used, or it was changed in a way that can't be sent to the engine."""


class EntityNotInContextError(ContextError):
    """The job must run on an entity that its context does not hold. `has_any`: it holds others of that kind."""

    def __init__(self, kind: str, entity_id: int | None, *, has_any: bool = True) -> None:
        one = f"an {kind}" if kind == "interface" else f"a {kind}"
        if entity_id is None and not has_any:
            problem = f"The job runs on {one}, and its context has none"
            own = "put one there"
        elif entity_id is None:
            problem = f"The job runs on {one}, but nothing says on which one"
            own = "say which one (`entity_id=`, `--entity-id`)"
        else:
            problem = f"The job runs on {kind} {entity_id}, which is not in its context"
            own = "put it there"
        # Nobody knows here whose context it is: the engine's or an author's.
        super().__init__(
            f"{problem}. Where you give the context yourself, in a test or by `--context`, {own}. Else look in the "
            f"workflow at what this step acquires: it must hold the {kind}."
        )
        self.kind = kind
        self.entity_id = entity_id


class EncodingError(SdkError):
    """A value can't be written as JSON. `path` says which one, `reason` why."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path} can't be written as JSON: {reason}.")
        self.path = path
        self.reason = reason


class AcquireError(SdkError):
    """A block's `acquire` asked for something that the engine does not accept from a worker."""


class WrongResultError(SdkError):
    """A block returned no result of the right kind, or data of another class than the registered one."""

    needs_no_traceback = True
