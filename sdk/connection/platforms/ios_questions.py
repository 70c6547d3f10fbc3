"""What IOS asks before it accepts a configuration line, and the answers.

A line of a change, or of its undo, is intended. So if IOS asks about that line, the answer is to go on.
"""

from __future__ import annotations

import re
from typing import Final

from sdk.connection.deadline import Deadline
from sdk.connection.platforms.platform import DeviceSession
from sdk.connection.platforms.typed_configuration import refusal_in
from sdk.connection.questions import Questions

_ABOUT_THE_USER: Final = re.compile(r"username related configurations.*\[confirm\]\s*$", re.IGNORECASE)
_ABOUT_THE_TRUSTPOINT: Final = re.compile(r"sure you want to do this\?\s*\[yes/no\]:?\s*$", re.IGNORECASE)
# Asked while there are translations by the line. Some releases write `entires`.
_ABOUT_TRANSLATIONS: Final = re.compile(
    r"in use, do you want to delete (?:all|child) \w+\?\s*\[no\]:\s*$", re.IGNORECASE
)
_ANSWERS: Final = {
    "no username ": {_ABOUT_THE_USER: ""},
    "no crypto pki trustpoint ": {_ABOUT_THE_TRUSTPOINT: "yes"},
    "no ip nat ": {_ABOUT_TRANSLATIONS: "yes"},
}
_IS_BEFORE_OR_AFTER_IT: Final = re.compile(
    r"^\s*% ?(?:removing an enrolled trustpoint|be sure to ask the CA administrator)[^\n]*\n?",
    re.IGNORECASE | re.MULTILINE,
)


def send_line(session: DeviceSession, text: str, deadline: Deadline) -> str:
    """Send one line and answer what IOS asks about it. Return its words if it refuses the line.

    The answer to any other question is no. If the session were given up there, half a change would stay.
    """
    answers = next((answers for start, answers in _ANSWERS.items() if text.startswith(start)), {})
    questions = Questions(answers)
    said = session.send(text, deadline=deadline, questions=questions).text
    if questions.declined:
        return f"it asks {questions.declined!r}, which was answered by no (for a yes, type the line by hand)"
    return refusal_in(_IS_BEFORE_OR_AFTER_IT.sub("", said) if answers else said)
