"""The answers if a device asks something before it accepts a configuration line. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from sdk.connection.prompt import Ask, what_is_asked
from sdk.connection.reading import ASKED_SECONDS


@dataclass(slots=True)
class Questions:
    """The answers for one line.

    `expected` are patterns of questions, each with its answer. The answer to any other question is no, once, so that
    the session goes on; `declined` is that question then.
    """

    expected: Mapping[re.Pattern[str], str]
    declined: str = ""
    _answered: list[str] = field(default_factory=list)

    def answer_to(self, line: str, quiet_seconds: float) -> str | None:
        """Return what to type after the last `line` that came; None for nothing.

        `quiet_seconds`: how long nothing has come since then.
        """
        if line.strip() in self._answered:
            return None  # a device that asks the same again does not accept the answer
        answer = next((said for question, said in self.expected.items() if question.search(line)), None)
        if answer is None and self._is_another(line, quiet_seconds):
            self.declined = line.strip()
            # A question that reads one key takes the other keys for a command.
            answer = "n" if "confirm" in line.lower() else "no"
        if answer is not None:
            self._answered.append(line.strip())
        return answer

    def _is_another(self, line: str, quiet_seconds: float) -> bool:
        is_asked = quiet_seconds >= ASKED_SECONDS and what_is_asked(line) is Ask.QUESTION
        return is_asked and not self.declined
