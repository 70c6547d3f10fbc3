"""The secrets in a JSON document: by key, by the paths that a block has declared, and inside of URLs and headers."""

import base64
import binascii
import re
from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import unquote

from jobrunner.protocol.masking.names import BUILT_IN, SecretNames

ANY: Final = "*"
"""In a path: every element of a list, and every value of an object."""

Path = tuple[str, ...]

_USERINFO: Final = re.compile(r"[a-zA-Z][\w+.-]{0,20}://[^\s/?#@:]{0,256}:([^\s/?#@]{1,1024})@")
_SCHEME: Final = re.compile(r"(basic|bearer|digest|token|apikey|negotiate)\s+(\S+)\s*", re.IGNORECASE)


def secrets_in(
    document: object, names: SecretNames = BUILT_IN, paths: Iterable[Path] = (), *, secret: bool = False
) -> Iterator[str]:
    """Yield every secret in ``document``, of any length; a number as JSON writes it.

    Secret is all below a key that is in ``names``, all at one of ``paths`` with the keys there, the whole with
    ``secret``, and the password in a URL. Not recursive: a document may be nested to any depth.
    """
    todo: list[tuple[object, bool, bool, tuple[Path, ...]]] = [
        ([document], secret, False, tuple((ANY, *path) for path in paths))
    ]
    while todo:
        container, marked, with_keys, declared = todo.pop()
        for key, value in _entries(container):
            if with_keys and key != ANY:
                yield key
            below = _below(declared, key) if declared else ()
            is_secret = marked or () in below or key in names
            # Most of a context is neither of the two.
            if isinstance(value, dict | list):
                todo.append((value, is_secret, with_keys or () in below, below))
            elif is_secret or (isinstance(value, str) and "://" in value):
                yield from _of_leaf(value, is_secret)


def _entries(container: object) -> Iterable[tuple[str, object]]:
    if isinstance(container, dict):
        return container.items()
    return ((ANY, value) for value in container) if isinstance(container, list) else ()


def _below(paths: tuple[Path, ...], step: str) -> tuple[Path, ...]:
    return tuple(path[1:] for path in paths if path and path[0] in (step, ANY))


def _of_leaf(value: object, marked: bool) -> Iterator[str]:
    if isinstance(value, str):
        yield from _of_text(value, marked)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield str(value)


def _of_text(text: str, marked: bool) -> Iterator[str]:
    if "://" in text:
        for match in _USERINFO.finditer(text):
            yield match[1]
            yield unquote(match[1])
    if not marked:
        return
    yield text
    if header := _SCHEME.fullmatch(text):
        yield header[2]
        if header[1].lower() == "basic":
            yield from _of_basic(header[2])


def _of_basic(credentials: str) -> Iterator[str]:
    try:
        plain = base64.b64decode(credentials, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return
    yield plain
    yield plain.partition(":")[2]
