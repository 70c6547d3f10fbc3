"""Cases: a secret, how it came to the job, how it is written, in which text, and where that leaves the worker."""

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final

from hypothesis import strategies as some

from jobrunner.protocol.caps import FIELD_CAP_CHARS, LOG_CAP_CHARS, LOGGER_CAP_CHARS
from jobrunner.protocol.masking import Mask, SecretNames
from supervisor.job.mask import mask_of
from tests.programs.redaction.places import PLACES
from tests.programs.redaction.reading import FILLERS as CUT_FILLERS
from tests.programs.redaction.reading import leaked
from tests.programs.redaction.writing import WRITINGS

BEFORE, AFTER = CUT_FILLERS
LINE_CAP_BYTES: Final = 8 * 1024
FILLERS: Final = (
    "connected to 10.0.0.1 port 22",
    "GigabitEthernet0/1 is up",
    'Traceback (most recent call last):\n  File "a.py", line 3, in run\n',
    "100 % done & more, see C:\\temp\\n",
    '{"status": "ok", "items": [1, 2]}',
    "пароль ✓ ünïcode",
    "",
)

Bringing = Callable[[str], tuple[dict[str, Any], dict[str, Any], tuple[tuple[str, ...], ...]]]
BRINGINGS: Final[dict[str, Bringing]] = {
    "key of a parameter": lambda secret: ({"enablePassword": secret}, {}, ()),
    "key in the context": lambda secret: ({}, {"devices": [{"id": 1, "snmp": {"community": [secret]}}]}, ()),
    "key of the operator": lambda secret: ({"my_Seed": {"x": secret}}, {}, ()),
    "declared": lambda secret: ({"hosts": [{"pin": secret}]}, {}, (("hosts", "*", "pin"),)),
}
NAMES: Final = SecretNames(["seed"])

ordinary = some.text(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=6, max_size=40
)
printable = some.text(some.characters(min_codepoint=33, max_codepoint=126), min_size=6, max_size=40)
phrases = some.lists(ordinary, min_size=2, max_size=4).map(" ".join)
of_any_script = some.text(
    some.characters(blacklist_categories=["Cs", "Cc", "Zl", "Zp", "Zs"]), min_size=6, max_size=30
)
keys = some.lists(
    some.text("ABCDEFGHIJKLMNOPabcdefgh0123456789+/", min_size=40, max_size=64), min_size=2, max_size=5
).map(lambda lines: "-----BEGIN KEY-----\n" + "\n".join(lines) + "\n-----END KEY-----")
tokens = some.text("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef0123456789-_.", min_size=60, max_size=200)


_ANOTHER: Final = "?!" * 10


def _counts(secret: str) -> bool:
    return len(secret) >= 6 and not secret.isdecimal() and bool(secret.strip("*"))


secrets = some.one_of(ordinary, printable, phrases, of_any_script, keys, tokens).filter(_counts)


@dataclass(frozen=True)
class Case:
    """One text with one secret in it."""

    secret: str
    bringing: str
    writing: str
    place: str
    before: str = field(repr=False)
    after: str = field(repr=False)
    cuts: tuple[int, ...]

    @property
    def text(self) -> str:
        return self.before + WRITINGS[self.writing](self.secret) + self.after

    def mask(self) -> Mask:
        parameters, context, declared = BRINGINGS[self.bringing](self.secret)
        return mask_of(parameters, context, NAMES, declared)

    def seen(self) -> str:
        """Return what leaves the worker."""
        text = self.text
        ends = sorted({min(cut, len(text)) for cut in self.cuts} | {0, len(text)})
        pieces = [text[start:end] for start, end in itertools.pairwise(ends)]
        return PLACES[self.place](text, pieces, self.mask(), self.secret)

    def leak(self) -> str | None:
        """Return a piece of the secret that can be read there, if one can."""
        # Of a key that is printed line by line, and of text wrapped by the block, each line is looked at by itself.
        # With a blank before: words of the worker's may stand in front of them.
        # A key's own dashes may be left at the end of a line, and a year begins the next one.
        innocent = f" {self.before}\n {self.after}\n-----BEGIN KEY-----\n-----END KEY-----\n{time.strftime('%Y-%m-')}"
        innocent += "".join(FRAME)
        seen = self.seen()
        lines = [line for line in {self.secret, *self.secret.splitlines()} if len(line) >= 6]
        beside = ""
        for piece in leaked(seen, lines, innocent):
            beside = beside or self._beside()
            if piece not in beside:
                at = seen.find(piece)
                return f"{piece!r} of {self.secret!r}, seen at {at} in {seen[max(0, at - 100) : at + 200]!r}"
        return None

    def _beside(self) -> str:
        """Return what leaves the worker in the same place with another secret: words of the worker's, say."""
        return replace(self, secret=_ANOTHER).seen()


FRAME: Final = (
    "tests/programs/fuzz:1.0.0 job-1 input_value 1 validation error for Closed logged in note password",
    "[job=job-1 block=tests/programs/fuzz:1.0.0 step=step logger=block] job: INFO    job: [job=job-1 block=",
    "stream stdout stderr message logger fields level INFO more bytes of this line characters cut",
    "Traceback (most recent call last): ValueError: The traceback is in the job's log. /redaction/places.py as_failure",
    "Cause: crashed Usage: ran 1.0 s exit code 0 signal SIGSEGV Where it was: In the kernel: Its process was waiting",
    "0123456789 2026-11-24T22:16:08.127+00:00 https://errors.pydantic.dev For further information visit validation",
)
"""Texts that are around every case: a secret that happens to be in them has not leaked."""


@some.composite
def cases(draw: some.DrawFn) -> Case:
    """Draw a case. A third have the secret at a place where something is cut."""
    secret, writing = draw(secrets), draw(some.sampled_from(sorted(WRITINGS)))
    before, after = draw(some.sampled_from(FILLERS)), draw(some.sampled_from(FILLERS))
    place = draw(some.sampled_from(sorted(PLACES)))
    written = len(WRITINGS[writing](secret))
    if draw(some.integers(0, 2)) == 0:
        cap = {
            "printed": LINE_CAP_BYTES,
            "log record": LOG_CAP_CHARS,
            "field of a record": FIELD_CAP_CHARS,
            "name of a logger": LOGGER_CAP_CHARS,
        }.get(place, 2000)
        # So that the cap goes through the secret, or near to it.
        before = BEFORE * ((cap - draw(some.integers(0, written + 10))) // 2)
        after = draw(some.sampled_from(("", "\n", AFTER * 5000)))
    sizes = some.lists(some.integers(0, len(before) + written + len(after)), max_size=4)
    return Case(
        secret, draw(some.sampled_from(sorted(BRINGINGS))), writing, place, before, after, tuple(draw(sizes))
    )
