"""What is answered where a device asks something before it takes a line of configuration. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from sdk.connection.prompt import Ask, what_is_asked
from sdk.connection.reading import ASKED_SECONDS


@dataclass(slots=True)
class Questions:
    """The answers for one line.

    `expected` are patterns of questions, each with its answer. Any other question is answered by no, once, so that the
    session goes on: then `declined` is that question.
    """

    expected: Mapping[re.Pattern[str], str]
    declined: str = ""
    _answered: list[str] = field(default_factory=list)

    def answer_to(self, line: str, quiet_seconds: float) -> str | None:
        """Return what to type, behind the last `line` of what came; None for nothing.

        `quiet_seconds`: how long nothing has come since.
        """
        if line in self._answered:
            return None  # a device that asks the same again does not take the answer
        answer = next((said for question, said in self.expected.items() if question.search(line)), None)
        if answer is None and self._is_another(line, quiet_seconds):
            self.declined = line.strip()
            # A question that takes one key takes the rest for a command.
            answer = "n" if "confirm" in line.lower() else "no"
        if answer is not None:
            self._answered.append(line)
        return answer

    def _is_another(self, line: str, quiet_seconds: float) -> bool:
        is_asked = quiet_seconds >= ASKED_SECONDS and what_is_asked(line) is Ask.QUESTION
        return is_asked and not self.declined
