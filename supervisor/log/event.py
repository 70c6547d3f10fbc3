"""An event of the worker's log: a name, a level, a sentence, and facts as fields. Programs read the fields."""

import logging
import re
import string
from typing import Any, ClassVar, Final, dataclass_transform

PRINTED: Final = "line"
"""The fact that holds a line printed by another program."""

_CAPITAL: Final = re.compile(r"(?<!^)(?=[A-Z])")


@dataclass_transform(kw_only_default=True, frozen_default=True)
class Event:
    """Base of all events. A class is one event; its annotations are its facts; its docstring is for the reference.

    `text` is the sentence; `{fact}` stands for a fact. Facts that are `None` are left out, so a fact in the sentence is
    never `None`. No code is generated here, as `dataclasses` would do: for a hundred classes that would take a
    twentieth of a second at the worker's start.
    """

    name: ClassVar[str]
    level: ClassVar[int]
    text: ClassVar[str]
    in_text: ClassVar[frozenset[str]]
    """The facts that the sentence contains already."""

    def __init_subclass__(cls, *, level: int, text: str) -> None:
        cls.name = _CAPITAL.sub("_", cls.__name__).lower()
        cls.level = level
        cls.text = text
        cls.in_text = frozenset(field for _, field, _, _ in string.Formatter().parse(text) if field)

    def __init__(self, **facts: Any) -> None:
        self.facts = {name: _rounded(value) for name, value in facts.items() if value is not None}

    @property
    def message(self) -> str:
        """The sentence, with the facts in it."""
        said = self.text.format_map(self.facts)
        # An empty fact at the end leaves a blank before it. But a printed line is passed on unchanged.
        return said if PRINTED in self.in_text else said.rstrip()


def tell(
    logger: logging.Logger,
    event: Event,
    *,
    level: int | None = None,
    error: BaseException | bool | None = None,
) -> None:
    """Log `event`, with the traceback of `error` (or of the current exception). `level` replaces the event's own."""
    level = event.level if level is None else level
    if logger.isEnabledFor(level):
        logger.log(level, "%s", event.message, exc_info=error, extra=record_fields(event))


def record_fields(event: Event) -> dict[str, object]:
    """Return the fields of a log record of `event`: its name, its facts, and those facts that its text lacks."""
    # A printed line is the message already: a second copy would double the log of a job.
    facts = {name: value for name, value in event.facts.items() if name != PRINTED}
    unsaid = {name: value for name, value in facts.items() if name not in event.in_text}
    return {"event": event.name, "facts": facts, "unsaid": unsaid}


def _rounded(value: object) -> object:
    return round(value, 3) if isinstance(value, float) else value
