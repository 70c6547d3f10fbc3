"""Converts any value to JSON's own types."""

from __future__ import annotations

import dataclasses
import decimal
import json
import math
import re
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Set
from enum import Enum
from typing import Any

from pydantic import BaseModel

from sdk.author_names import author_name
from sdk.encoding.leaves import LEAVES
from sdk.errors import EncodingError

MAX_DEPTH = 100
MAX_PATH_LENGTH = 200

_HALF_PAIR = re.compile("[\ud800-\udfff]")


def to_plain(value: Any, root: str = "value") -> Any:
    """`value`, made only of None, bool, int, float, str, list and dict. See `sdk.encoding.to_json`.

    Raises `EncodingError`, whose path begins with `root`.
    """
    try:
        return _Walk().convert(value)
    except _RefusalError as refused:
        raise EncodingError(_path(root, refused.path), refused.reason) from refused.__cause__


class _RefusalError(Exception):
    """A value that can't be written. Each container on the way up adds its part of the path."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.path: list[str] = []


class _Walk:
    def __init__(self) -> None:
        # The containers around the present value, not all seen ones: a list may appear twice side by side.
        self._open: set[int] = set()

    def convert(self, value: Any) -> Any:
        kind = type(value)
        if value is None or kind is bool:
            return value
        if isinstance(value, Enum):
            return self.convert(value.value)
        if isinstance(value, str):
            return _text(value)
        if isinstance(value, int):
            return _integer(value)
        if isinstance(value, float):
            return _number(value)
        if isinstance(value, decimal.Decimal) and not value.is_finite():
            raise _RefusalError(f"{value} is no JSON number; use None or a text")
        for types, write in LEAVES:
            if isinstance(value, types):
                return _text(write(value))
        return self._container(value)

    def _container(self, value: Any) -> Any:
        if id(value) in self._open:
            raise _RefusalError("it contains itself; leave the way back out, or put an id there")
        if len(self._open) >= MAX_DEPTH:
            raise _RefusalError(f"it is nested more than {MAX_DEPTH} levels deep")
        self._open.add(id(value))
        try:
            if isinstance(value, BaseModel):
                return self._fields(_dump(value))
            if dataclasses.is_dataclass(value) and not isinstance(value, type):
                return self._fields(
                    {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
                )
            if isinstance(value, Mapping):
                return self._fields(value)
            if isinstance(value, Set):
                return sorted(self._items(value), key=_sort_key)
            if isinstance(value, list | tuple | deque):
                return self._items(value)
        finally:
            self._open.discard(id(value))
        raise _RefusalError(_no_type_of_json(value))

    def _fields(self, value: Any) -> Any:
        if not isinstance(value, Mapping):  # a root model, or a model with its own serializer
            return self.convert(value)
        plain: dict[str, Any] = {}
        key: Any = None
        try:
            for key, item in value.items():
                name = _key(key)
                plain[name] = self.convert(item)
        except _RefusalError as refused:
            refused.path.append(_part(key))
            raise
        if len(plain) < len(value):
            raise _RefusalError("two of its keys become one, as keys in JSON are text; rename one")
        return plain

    def _items(self, value: Iterable[Any]) -> list[Any]:
        plain: list[Any] = []  # not a comprehension: its length is the index of a refused item
        try:
            for item in value:
                plain.append(self.convert(item))
        except _RefusalError as refused:
            refused.path.append(f"[{len(plain)}]")
            raise
        return plain


def _no_type_of_json(value: object) -> str:
    if isinstance(value, Iterator):
        # pydantic replaces any iterator by one of its own, so the author's type is lost.
        return "an iterator, a generator or an open file is no type that JSON has; use list(...), or its text"
    kind = value if isinstance(value, type) else type(value)
    name = author_name(f"{kind.__module__}.{kind.__qualname__}").removeprefix("builtins.")
    if kind is value:
        return f"it is the class {name} itself; call it to make one"
    return f"{name} is no type that JSON has; use str(...), or a dict of what matters"


def _dump(model: BaseModel) -> Any:
    # Python mode: JSON mode silently turns NaN inside Any into null, and None keys into "None".
    try:
        return model.model_dump(mode="python", by_alias=False, warnings=False)
    except MemoryError:  # nothing is wrong with the value
        raise
    except Exception as error:
        # A circular reference, endless nesting, or an author's serializer that failed.
        reason = str(error) if isinstance(error, ValueError) else type(error).__name__
        raise _RefusalError(f"{type(model).__name__} can't be dumped: {reason}") from error


def _text(value: str) -> str:
    plain = str.__str__(value)
    return plain if plain.isascii() else _HALF_PAIR.sub("\ufffd", plain)


def _integer(value: int) -> int:
    plain = int(value)
    try:
        str(plain)
    except ValueError:
        digits = sys.get_int_max_str_digits()
        raise _RefusalError(f"it is an integer of more than {digits} digits; give it as text") from None
    return plain


def _number(value: float) -> float:
    if not math.isfinite(value):
        raise _RefusalError(f"{float(value)!r} is no JSON number; use None or a text")
    return float(value)


def _key(key: Any) -> str:
    if isinstance(key, Enum):
        return _key(key.value)
    if isinstance(key, str):
        return _text(key)
    if isinstance(key, bool):
        return "true" if key else "false"
    if isinstance(key, int):
        return str(_integer(key))
    raise _RefusalError(f"a key of type {type(key).__name__} can't be an object's key; use a str")


def _path(root: str, parts: list[str]) -> str:
    path = root + "".join(reversed(parts))
    return path if len(path) <= MAX_PATH_LENGTH else path[:MAX_PATH_LENGTH] + "…"


def _part(key: Any) -> str:
    # Cut, because a key may be of any length, and people must be able to read the path.
    return f".{key[:60]}" if isinstance(key, str) else f"[{repr(key)[:60]}]"


def _sort_key(plain: Any) -> str:
    return json.dumps(plain, sort_keys=True)
