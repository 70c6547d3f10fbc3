"""Finds the secrets in a JSON document: by key, by the paths that a block has declared, and in URLs and headers."""

import base64
import binascii
import json
import re
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple
from urllib.parse import unquote

from jobrunner.protocol.masking.names import BUILT_IN, SecretNames

ANY: Final = "*"
"""In a path, it means every element of a list, and every value of an object."""

JSON_KEYS: Final = frozenset({"connectionOptions", "connection_options"})
"""Fields whose texts are JSON themselves: in the inventory, such a text has the login to a jump host."""

_JSON_CAP_CHARS: Final = 65_536

Path = tuple[str, ...]

_CONTAINERS: Final = (dict, list)

_USERINFO: Final = re.compile(r"[a-zA-Z][\w+.-]{0,20}://[^\s/?#:]{0,256}:([^\s/?#]{1,1024})@")
_SCHEME: Final = re.compile(r"(basic|bearer|digest|token|apikey|negotiate)\s+(\S+)\s*", re.IGNORECASE)


def secrets_in(
    document: object, names: SecretNames = BUILT_IN, paths: Iterable[Path] = (), *, secret: bool = False
) -> Iterator[str]:
    """Yield every secret in `document`, of any length; a number in the form that JSON writes.

    Secret is everything below a key that is in `names`, everything at one of `paths` with the keys there, with
    `secret` the whole document, and the password in a URL. Not recursive: a document may be nested to any depth.
    """
    yield from secrets_within([document], Within.document(paths, secret=secret), names)


class Within(NamedTuple):
    """What is known about a list or an object from its place in the document."""

    is_secret: bool
    """Everything in it is secret."""
    with_keys: bool
    """The keys of its objects are secret, too."""
    declared: tuple[Path, ...]
    """The rest of the paths that lead into it."""

    @classmethod
    def document(cls, paths: Iterable[Path] = (), *, secret: bool = False) -> "Within":
        """For a list that holds nothing but a document."""
        return cls(secret, False, tuple((ANY, *path) for path in paths))

    def below(self, key: str, names: SecretNames) -> "Within":
        """For the value under this key, or for an element (`ANY`)."""
        declared = _below(self.declared, key) if self.declared else ()
        return Within(
            self.is_secret or () in declared or key in names, self.with_keys or () in declared, declared
        )

    def holds_secret(self, key: str, names: SecretNames) -> bool:
        """Whether the value under this key is secret."""
        return self.is_secret or key in names or (bool(self.declared) and () in _below(self.declared, key))


def secrets_within(container: object, within: Within, names: SecretNames) -> Iterator[str]:
    """Yield every secret in a list or an object at any place of a document."""
    todo: list[tuple[object, Within]] = [(container, within)]
    while todo:
        container, within = todo.pop()
        if isinstance(container, list):
            below = within.below(ANY, names)
            for value in container:
                # Most values of a context are neither.
                if isinstance(value, _CONTAINERS):
                    if value:
                        todo.append((value, below))
                elif below.is_secret or (isinstance(value, str) and "://" in value):
                    yield from _of_leaf(value, below.is_secret)
        elif isinstance(container, dict):
            for key, value in container.items():
                if within.with_keys and key != ANY:
                    yield key
                if isinstance(value, _CONTAINERS):
                    if value:
                        todo.append((value, within.below(key, names)))
                elif within.holds_secret(key, names):
                    yield from _of_leaf(value, True)
                elif isinstance(value, str):
                    if "://" in value:
                        yield from _of_leaf(value, False)
                    if key in JSON_KEYS and (document := _document_in(value)):
                        todo.append((document, within.below(key, names)))


def _document_in(text: str) -> object:
    """Return the object or the list in a text that is JSON; `None` if it is neither, or if it is large."""
    if "{" not in text or len(text) > _JSON_CAP_CHARS:
        return None
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, _CONTAINERS) else None


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
            # For some programs it ends at the last `@`, for others at the first.
            for password in {match[1], match[1].partition("@")[0]}:
                yield password
                yield unquote(password)
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
