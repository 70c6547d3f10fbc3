"""What to write where a block is declared with other arguments than `Registration` and the decorator take."""

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
    """Return what to write in place of a call that Python has refused, as a sentence; empty for any other error.

    Of a call's wrong arguments a `TypeError` has no fields: its text is all there is. What is not recognised here is
    told without advice.
    """
    if not isinstance(error, TypeError):
        return ""
    if _OF_THE_DECORATOR.match(str(error)):
        return f" {WRITE_REGISTRATION}"
    match = _UNKNOWN_FIELD.match(str(error))
    if match is None:
        return ""
    import difflib  # every child would have the module, and only this needs it

    fields = [field.name for field in dataclasses.fields(Registration)]
    near = difflib.get_close_matches(match[1], fields, n=1)
    return f" Write {near[0]}." if near else f" A Registration has {', '.join(fields)}."
