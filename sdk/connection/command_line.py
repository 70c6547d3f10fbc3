"""Whether a text can be sent to a device as one line. Pure.

The end of a line ends a command. So a text with a line feed in it would be two commands, and the second one could come
from any source of the text. A device takes other control characters for keys that somebody presses.
"""

from __future__ import annotations

import re
from typing import Final

_LINE_ENDS: Final = re.compile(r"[\r\n\x0b\x0c\x85]")
# All but the tab: lines of configurations may have tabs.
_KEYS: Final = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f]")


def fault_of(command: str) -> str | None:
    """Return why a command can't be sent as one line; None if it can."""
    if _KEYS.search(command):
        return "it has a control character in it"
    return fault_of_answer(command)


def fault_of_answer(line: str) -> str | None:
    """Return the same for a line of a dialogue. It may hold a key such as Ctrl-C on purpose."""
    if _LINE_ENDS.search(line):
        return "it is more than one line"
    try:
        line.encode()
    except UnicodeEncodeError:
        return "it holds half of a character (a lone surrogate)"
    return None
