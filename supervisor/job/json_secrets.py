"""Finds the secrets in JSON that is read piece by piece. Nothing else of it is kept."""

import json
import re
from collections.abc import Generator, Iterable
from typing import Any, Final, Protocol

from jobrunner.protocol.catalogue import SensitivePath
from jobrunner.protocol.masking import SecretNames
from jobrunner.protocol.masking.collector import ANY, Within, secrets_within
from supervisor.job.harmless import Harmless
from supervisor.job.json_grammar import of_python
from supervisor.job.json_pieces import OBJECT, Scanner

_COMMA: Final = b" \t\n\r,"
_LONG_BYTES: Final = 256 * 1024
"""Making a string of ten megabytes of bytes takes 30 ms; searching them takes a few."""

_ESCAPED: Final = re.compile(rb"\\[/u]")
"""How JSON may write a solidus, or any other character."""

Keys = tuple[str | None, ...]
"""The way to a list or an object; `None` for an element."""


class Listener(Protocol):
    """Gets everything that is read, so that it is read only once."""

    def opened(self, keys: Keys) -> None:
        """A list or an object begins that is read in parts."""
        ...

    def heard(self, keys: Keys, members: Any) -> None:
        """Some members of the list or object at `keys`, in a list or an object."""
        ...


def secrets_in_steps(
    text: bytes, names: SecretNames, paths: Iterable[SensitivePath] = (), listener: Listener | None = None
) -> Generator[None, None, set[str]]:
    """Return the same as `secrets_in` for the object in `text`: each step takes a few milliseconds."""
    collector = _Collector(text, names, Within.document(paths), listener)
    yield from collector.steps(OBJECT, encoding=False)
    return collector.secrets


class _Collector(Scanner):
    def __init__(self, text: bytes, names: SecretNames, document: Within, listener: Listener | None) -> None:
        super().__init__(text, of_python())
        self.secrets: set[str] = set()
        self._names = names
        self._harmless = Harmless(names)
        self._listener = listener
        self._keys: list[str | None] = []
        """The keys to the open list or object, and to some earlier ones."""
        self._within = [document]
        """For the text's surroundings, for each open list and object, and for some earlier ones."""

    def _opened(self) -> None:
        depth = len(self._open)
        del self._within[depth:]
        del self._keys[max(0, depth - 2) :]
        around = self._within[-1]
        key = self._key() if depth > 1 else ANY
        if depth > 1:
            self._keys.append(None if self._open[-2].closing == b"]" else key)
        if around.with_keys and key != ANY:
            self.secrets.add(key)
        self._within.append(around.below(key, self._names))
        if self._listener is not None:
            self._listener.opened(tuple(self._keys))

    def _key(self) -> str:
        """Return the key of the member that is read by itself."""
        frame = self._open[-2] if self._is_opening() else self._open[-1]
        if frame.closing == b"]":
            return ANY
        key: str = json.loads(b'"' + frame.key + b'"')
        return key

    def _is_opening(self) -> bool:
        return len(self._within) == len(self._open)

    def _scalar(self, begin: int) -> None:
        key = self._key()
        if self._at - begin > _LONG_BYTES and self._tells_nothing(key, begin):
            return
        value = json.loads(self._text[begin : self._at])
        self._collect([value] if key == ANY else {key: value}, begin)

    def _tells_nothing(self, key: str, begin: int) -> bool:
        """Whether a long text is no secret, and holds no address with one. It is longer than any address anyway."""
        within = self._within[len(self._open)]
        return (
            self._text.startswith(b'"', begin)
            and not (within.with_keys or within.holds_secret(key, self._names))
            and self._text.find(b"://", begin, self._at) < 0
            and _ESCAPED.search(self._text, begin, self._at) is None
        )

    def _run(self, begin: int, members: object) -> None:
        if members is None:
            text = self._text[begin : self._at].rstrip(_COMMA)
            is_object = self._open[-1].closing == b"}"
            members = json.loads(b"{" + text + b"}" if is_object else b"[" + text + b"]")
        self._collect(members, begin)

    def _collect(self, members: Any, begin: int) -> None:
        depth = len(self._open)
        del self._within[depth + 1 :]
        if self._listener is not None:
            self._listener.heard(tuple(self._keys[: depth - 1]), members)
        within = self._within[-1]
        if within.is_secret or within.with_keys or within.declared:
            self.secrets.update(secrets_within(members, within, self._names))
            return
        piece = self._text[begin : self._at]
        # JSON may escape a solidus.
        has_addresses = b"://" in piece or b"\\" in piece
        if suspects := self._harmless.suspects(members, has_addresses=has_addresses):
            self.secrets.update(secrets_within(suspects, within, self._names))
