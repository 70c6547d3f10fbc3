"""Advice for a declaration with arguments that `Registration` or the decorator does not take."""

from __future__ import annotations

import dataclasses
import re
from typing import Final

from sdk.registration import Registration

WRITE_REGISTRATION: Final = (
    "Write @register_function_block(Registration(name=..., package=..., ...)) above the class."
)

_OF_THE_DECORATOR: Final = re.compile(r"register_function_block\(\) (missing|got an unexpected|takes) ")
_UNKNOWN_FIELD: Final = re.compile(r"Registration\.__init__\(\) got an unexpected keyword argument '(\w+)'")


def advice_on_declaration(error: BaseException) -> str:
    """Return a sentence that says what to write instead of a call that Python has refused; empty for other errors.

    A `TypeError` for wrong arguments has no fields: only its text can be read. If this function does not recognise the
    text, there is no advice.
    """
    if not isinstance(error, TypeError):
        return ""
    if _OF_THE_DECORATOR.match(str(error)):
        return f" {WRITE_REGISTRATION}"
    match = _UNKNOWN_FIELD.match(str(error))
    if match is None:
        return ""
    import difflib  # only this needs it; at the top, every child would load it

    fields = [field.name for field in dataclasses.fields(Registration)]
    near = difflib.get_close_matches(match[1], fields, n=1)
    return f" Write {near[0]}." if near else f" A Registration has {', '.join(fields)}."
