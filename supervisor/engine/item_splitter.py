"""Takes a list of jobs that can't be parsed as a whole apart into its items.

A number of 5000 digits, a thousand levels of nesting or a body that breaks off makes a JSON parser refuse all of it.
But the worker has claimed every job in it already.
"""

import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Final

_TOKEN: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[][{},]', re.DOTALL)
_TOKENS_AT_ONCE: Final = 2000
_ITEMS_CAP: Final = 10_000
"""More than any worker asks for. The worker asks for the rest again, as if the list broke off there."""
_ITEM: Final = 1
"""How deep an item of the list is; its keys are one deeper."""


@dataclass(frozen=True, slots=True)
class RawItem:
    """The JSON of one item, and its id if that is a plain string."""

    text: bytes
    job_id: str | None


@dataclass(frozen=True, slots=True)
class RawList:
    """The complete items of a list. `complete` is false if the list breaks off."""

    items: tuple[RawItem, ...]
    complete: bool


def split_in_steps(body: bytes) -> Generator[None, None, RawList | None]:
    """Take a JSON list apart by its brackets, without recursion; `None` if it has no complete object.

    Each step takes a few milliseconds.
    """
    text = body.strip()
    if text[:1] != b"[":
        return None
    items: list[RawItem] = []
    complete = False
    depth, start = 0, 0
    job_id: str | None = None
    keys = _Keys()
    for number, (token, at, end) in enumerate(_tokens(text)):
        if number % _TOKENS_AT_ONCE == _TOKENS_AT_ONCE - 1:
            yield
        if token in (b"[", b"{"):
            if depth == _ITEM:
                start, job_id, keys = at, None, _Keys()
            depth += 1
        elif token in (b"]", b"}"):
            depth -= 1
            if depth == _ITEM and token == b"}":
                items.append(RawItem(text[start:end], job_id))
                if len(items) >= _ITEMS_CAP:
                    break
            elif depth == 0:
                complete = end == len(text)
                break
        elif depth == _ITEM + 1:
            job_id = keys.value_of_job_id(token) or job_id
    return RawList(tuple(items), complete) if items else None


def _tokens(text: bytes) -> Iterator[tuple[bytes, int, int]]:
    for match in _TOKEN.finditer(text):
        yield match[0], match.start(), match.end()


class _Keys:
    """Follows the strings of one object: the first after a comma is a key, the next one its value."""

    def __init__(self) -> None:
        self._is_key = True
        self._key = b""

    def value_of_job_id(self, token: bytes) -> str | None:
        if token == b",":
            self._is_key, self._key = True, b""
        elif self._is_key:
            self._is_key, self._key = False, token
        elif self._key == b'"jobId"':
            # Ids are UUIDs; a text that needs an escape is not one.
            value = token[1:-1]
            return value.decode() if value and value.isascii() and b"\\" not in value else None
        return None
