"""Regular expressions for pieces of JSON, nested a few levels deep, as bytes.

The caller limits each match. The time grows only with the matched length: nothing is tried a second time (possessive
quantifiers).
"""

import functools
import re
from dataclasses import dataclass
from typing import Final

_WS: Final = rb"[ \t\n\r]*+"
_HEX: Final = rb"[0-9a-fA-F]"
_LEVELS: Final = 2
"""The caller must handle deeper nesting. Each level doubles the expression."""

BLANKS: Final = re.compile(_WS)


@dataclass(frozen=True, slots=True)
class Grammar:
    """What counts as JSON. A run is as many members as there are, each with what follows it up to the next one."""

    elements: re.Pattern[bytes]
    """A run of any elements of a list."""
    objects: re.Pattern[bytes]
    """A run of elements that are objects."""
    members: re.Pattern[bytes]
    """A run of members of an object."""
    inside: re.Pattern[bytes]
    """The inside of a string, up to its end or the end of a piece."""
    plain: re.Pattern[bytes]
    """A number or a word."""


# Python and pydantic can't read a number of more digits.
_NUMBER: Final = rb"(?:0|[1-9][0-9]{0,4298}+)(?:\.[0-9]++)?+(?:[eE][+-]?[0-9]++)?+"
_MOST: Final = b"7976931348623157"
"""The fraction of the largest double, which is 1.7976931348623157e308."""
_AT_MOST: Final = b"|".join(
    digits
    for at in range(len(_MOST))
    for digits in (_MOST[:at] + b"[0-%d][0-9]*+" % (_MOST[at] - ord("0") - 1), _MOST[: at + 1])
)
# The numbers that fit into a double: an engine that reads `1e999` as infinity refuses the whole result.
_FINITE: Final = (
    rb"(?:(?:0|[1-9][0-9]{0,307}+)(?:\.[0-9]++)?+(?![eE])"
    rb"|(?:0|[1-9][0-9]{0,199}+)(?:\.[0-9]++)?+[eE](?:-[0-9]++|\+?+[0-9]{1,2}+)"
    rb"|(?:0|[1-9][0-9]{0,7}+)(?:\.[0-9]++)?+[eE]\+?+[12][0-9]{2}"
    rb"|[0-9](?:\.[0-9]++)?+[eE]\+?+30[0-7]"
    rb"|1(?:\.(?:" + _AT_MOST + rb"))?[eE]\+?+308)"
)


def _grammar(escape: bytes, words: bytes, magnitude: bytes) -> Grammar:
    chars = rb'(?:[^"\\\x00-\x1f]++|' + escape + rb")*+"
    string = rb'"' + chars + rb'"'
    number = rb"-?+" + magnitude
    plain = rb"(?:" + number + rb"|" + words + rb")(?![0-9.eE+-])"
    scalar = rb"(?:" + string + rb"|" + plain + rb")"
    key = string + _WS + rb":" + _WS

    def within(value: bytes, closing: bytes) -> bytes:
        comma = rb"(?:," + _WS + rb"(?!" + closing + rb")|(?=" + closing + rb"))"
        return _WS + rb"(?:" + value + _WS + comma + rb")*+" + closing

    def nested(levels: int) -> bytes:
        if levels == 0:
            return scalar
        inner = nested(levels - 1)
        lists, objects = rb"\[" + within(inner, rb"\]"), rb"\{" + within(key + inner, rb"\}")
        return rb"(?:" + scalar + rb"|" + lists + rb"|" + objects + rb")"

    # A comma only if the next character is visible: at the end of a piece, a closing bracket may follow.
    more = _WS + rb"(?:," + _WS + rb"(?=[^\]}])|(?=[\]}]))"
    an_object = rb"\{" + within(key + nested(_LEVELS - 1), rb"\}")
    return Grammar(
        elements=re.compile(rb"(?:" + nested(_LEVELS) + more + rb")*+"),
        objects=re.compile(rb"(?:" + an_object + more + rb")*+"),
        members=re.compile(rb"(?:" + key + nested(_LEVELS) + more + rb")*+"),
        inside=re.compile(chars),
        plain=re.compile(plain),
    )


@functools.cache
def strict() -> Grammar:
    """What the engine can read and store. Made when it is first needed: it takes some milliseconds."""
    return _grammar(
        rb'\\(?:["\\/bfnrt]|u(?:(?![dD][89a-fA-F])' + _HEX + rb"{4}"
        # Half of a surrogate pair is not a text that UTF-8, or a database, can hold.
        rb"|[dD][89abAB]" + _HEX + rb"{2}\\u[dD][c-fC-F]" + _HEX + rb"{2}))",
        rb"true|false|null",
        _FINITE,
    )


@functools.cache
def of_python() -> Grammar:
    """What Python's `json` reads."""
    return _grammar(
        rb'\\(?:["\\/bfnrt]|u' + _HEX + rb"{4})", rb"true|false|null|NaN|Infinity|-Infinity", _NUMBER
    )
