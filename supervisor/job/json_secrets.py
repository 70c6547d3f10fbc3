"""The secrets in JSON that is read piece by piece: nothing but them is kept of it."""

import json
from collections.abc import Generator, Iterable
from typing import Final

from jobrunner.protocol.catalogue import SensitivePath
from jobrunner.protocol.masking import SecretNames
from jobrunner.protocol.masking.collector import ANY, Within, secrets_within
from supervisor.job.json_grammar import of_python
from supervisor.job.json_pieces import OBJECT, Scanner

_COMMA: Final = b" \t\n\r,"


def secrets_in_steps(
    text: bytes, names: SecretNames, paths: Iterable[SensitivePath] = ()
) -> Generator[None, None, set[str]]:
    """Return what `secrets_in` finds in the object that `text` is: a few milliseconds' work for each step."""
    collector = _Collector(text, names, Within.document(paths))
    yield from collector.steps(OBJECT, encoding=False)
    return collector.secrets


class _Collector(Scanner):
    def __init__(self, text: bytes, names: SecretNames, document: Within) -> None:
        super().__init__(text, of_python())
        self.secrets: set[str] = set()
        self._names = names
        self._within = [document]
        """Of what surrounds the text, and of each list and object that is open, and of some that were."""

    def _opened(self) -> None:
        depth = len(self._open)
        del self._within[depth:]
        around = self._within[-1]
        key = self._key() if depth > 1 else ANY
        if around.with_keys and key != ANY:
            self.secrets.add(key)
        self._within.append(around.below(key, self._names))

    def _key(self) -> str:
        """Return the key of the member that is read on its own."""
        frame = self._open[-2] if self._is_opening() else self._open[-1]
        if frame.closing == b"]":
            return ANY
        key: str = json.loads(b'"' + frame.key + b'"')
        return key

    def _is_opening(self) -> bool:
        return len(self._within) == len(self._open)

    def _scalar(self, begin: int) -> None:
        value = json.loads(self._text[begin : self._at])
        key = self._key()
        self._collect([value] if key == ANY else {key: value})

    def _run(self, begin: int) -> None:
        text = self._text[begin : self._at].rstrip(_COMMA)
        is_object = self._open[-1].closing == b"}"
        self._collect(json.loads(b"{" + text + b"}" if is_object else b"[" + text + b"]"))

    def _collect(self, container: object) -> None:
        del self._within[len(self._open) + 1 :]
        self.secrets.update(secrets_within(container, self._within[-1], self._names))
