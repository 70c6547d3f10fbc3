"""The mask of one job: applies all that is known about its secrets to a text."""

import itertools
import string
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import Final, NewType, Protocol

from jobrunner.protocol.caps import SECRETS_CAP
from jobrunner.protocol.masking.configurations import in_configurations
from jobrunner.protocol.masking.effort import FOUND_UNITS, Effort, TooMuchWorkError
from jobrunner.protocol.masking.forms import base64_forms, is_maskable, plain_forms
from jobrunner.protocol.masking.hexadecimals import with_hexadecimals
from jobrunner.protocol.masking.keyed import Keyed
from jobrunner.protocol.masking.names import BUILT_IN, SecretNames
from jobrunner.protocol.masking.needles import Needles, prepared_needles
from jobrunner.protocol.masking.views import Range, View, possible_endings, views, without_half_an_escape

MASK: Final = "***"

Masked = NewType("Masked", str)
"""A text that a mask has checked, or that holds nothing of a job. Only this module makes one from another text. So a
type checker finds an unmasked text where a masked one is required."""

NO_TEXT: Final = Masked("")

_BASE64_CHARS: Final = string.ascii_letters + string.digits + "+/-_"
_MOST_BESIDE_CHARS: Final = 512

_PREPARED_AT_ONCE: Final = 50
"""So many secrets take 5 to 10 ms: up to 24 spellings of each are prepared."""

_MOST_LENGTHS_LEARNED: Final = 16
"""For learned secrets with the same beginning: a block could choose so many that each place is compared with all."""


def not_shown(text: str) -> Masked:
    """Return the text that replaces one that could not be searched for secrets."""
    return Masked(f"[{len(text)} characters not shown: to search them for secrets takes too long]")


def end_of(text: Masked, chars: int) -> Masked:
    """Return the last `chars` characters of a masked text."""
    return Masked(text[-chars:])


class TextMask(Protocol):
    """A function that removes the secrets from a text."""

    def __call__(
        self, text: str, *, cut_before: bool = False, cut_after: bool = False, effort: Effort | None = None
    ) -> Masked:
        """Return `text` masked. `cut_before` and `cut_after` say that it is a piece, cut at its beginning or its end.

        `effort` is the work that it may take; see `Mask`."""
        ...

    def field(
        self, name: str, value: object, *, cut_after: bool = False, effort: Effort | None = None
    ) -> object:
        """Return the value of a field that is logged, masked by its name or as a text."""
        ...

    def learn(self, secret: str) -> None:
        """Mask this one, too, from now on."""
        ...


class Mask:
    """Replaces secrets in texts by `***`.

    `secrets` are values. They are read only when there is a first text: most jobs print nothing. `names` are the keys
    that hold secrets; `fields` are additional ones, as whole names.
    """

    def __init__(
        self,
        secrets: Iterable[str] | Callable[[], Iterable[str]] = (),
        names: SecretNames = BUILT_IN,
        fields: Iterable[str] = (),
    ) -> None:
        self._get_secrets = secrets if callable(secrets) else lambda: secrets
        self._names = names
        self._fields = frozenset(fields)
        self._learned: set[str] = set()

    def __call__(
        self, text: str, *, cut_before: bool = False, cut_after: bool = False, effort: Effort | None = None
    ) -> Masked:
        """Return `text` without a secret. If it was cut, also without the piece of a secret that is left there.

        If the search takes more work than allowed at once, return `not_shown`. With an `effort` of the caller, raise
        `TooMuchWorkError` instead.
        """
        if not text:  # usually nothing was printed, and the secrets need not be known
            return NO_TEXT
        if cut_after:
            text = without_half_an_escape(text)
        try:
            ranges = self._found(text, effort or Effort(), cut_before, cut_after)
        except TooMuchWorkError:
            if effort is not None:
                raise
            return not_shown(text)
        return Masked(_replaced(text, ranges) if ranges else text)

    def _found(self, text: str, effort: Effort, cut_before: bool, cut_after: bool) -> list[Range]:
        ranges: list[Range] = []
        for found in self._keyed.find(text, effort, cut_after=cut_after):
            effort.spend(FOUND_UNITS)
            ranges.append(found)
        ranges += in_configurations(text, effort)
        if self._needles:
            decoded = views(text, effort)
            for view in with_hexadecimals(decoded, effort, cut_before=cut_before, cut_after=cut_after):
                for found in self._in_view(view, effort, cut_before, cut_after):
                    effort.spend(FOUND_UNITS)
                    ranges.append(view.in_text(found))
        return ranges

    def field(
        self, name: str, value: object, *, cut_after: bool = False, effort: Effort | None = None
    ) -> object:
        """Return the value of a field that is logged: masked as a whole by its name, otherwise masked as a text."""
        if (
            value is not None
            and not isinstance(value, bool)
            and (name in self._names or name in self._fields)
        ):
            return MASK
        if isinstance(value, str):
            return self(value, cut_after=cut_after, effort=effort)
        if isinstance(value, int | float) and not isinstance(value, bool):
            written = str(value)
            return value if self(written, effort=effort) == written else MASK  # a PIN, under another name
        return value

    def learn(self, secret: str) -> None:
        """Mask `secret`, too, from now on. It learns only as many as a child may report, and ignores the rest."""
        if secret in self._learned or len(self._learned) >= SECRETS_CAP:
            return
        self._learned.add(secret)
        if is_maskable(secret):
            # The needles first: when they are first used, they get all of `_base64`, without that limit.
            needles, base64 = self._needles, base64_forms(secret)
            self._base64.update(base64)
            needles.add(plain_forms(secret) | base64, most_lengths=_MOST_LENGTHS_LEARNED)
        elif secret.strip("*"):
            self._keyed.learn(secret)

    @property
    def takes_long(self) -> bool:
        """Whether the first text would have to wait long. Then it is better to call `prepare` before."""
        return len(self._secrets) > _PREPARED_AT_ONCE

    def prepare(self, pause: Callable[[], None]) -> None:
        """Do now what the first text would have to wait for, with a `pause` every few milliseconds.

        Call it in a thread: ten thousand secrets take a second. No text may be masked during that time.
        """
        maskable = [secret for secret in self._secrets if is_maskable(secret)]
        forms: set[str] = set()
        base64: set[str] = set()
        for number, secret in enumerate(maskable):
            forms |= plain_forms(secret)
            base64 |= base64_forms(secret)
            if number % _PREPARED_AT_ONCE == 0:
                pause()
        # Not as one set: to make it from a quarter of a million texts takes 20 ms without a break.
        needles = prepared_needles(itertools.chain(forms, base64), pause)
        self.__dict__.update(_needles=needles, _base64=base64, _keyed=self._keyed)

    @cached_property
    def _secrets(self) -> frozenset[str]:
        return frozenset(self._get_secrets())

    @cached_property
    def _needles(self) -> Needles:
        plain = (form for secret in filter(is_maskable, self._secrets) for form in plain_forms(secret))
        return Needles(itertools.chain(plain, self._base64))

    @cached_property
    def _base64(self) -> set[str]:
        return {form for secret in filter(is_maskable, self._secrets) for form in base64_forms(secret)}

    @cached_property
    def _keyed(self) -> Keyed:
        short = (secret for secret in self._secrets if not is_maskable(secret) and secret.strip("*"))
        return Keyed(self._names, self._fields, short)

    def _in_view(self, view: View, effort: Effort, cut_before: bool, cut_after: bool) -> Iterator[Range]:
        needles, text = self._needles, view.text
        for start, end in needles.whole(text, effort):
            # The characters beside it hold some bits of the secret each.
            yield _whole_run(text, start, end) if text[start:end] in self._base64 else (start, end)
        yield from needles.abbreviated(text, effort)
        # A view joins what was escaped and broken into lines. This is for lines that come one by one.
        if view.parent is None:
            yield from needles.wrapped(text, effort)
        if view.parent is None or view.parent.parent is None:
            yield from needles.quoted(text, effort)
        if cut_before and (found := needles.after_cut(text, effort)):
            yield found
        if cut_after:
            # The cut may have gone through an escape, or through the dots of an abbreviation.
            for whole in {*possible_endings(text), text.removesuffix(".").removesuffix(".")}:
                if found := needles.at_end(whole, effort):
                    yield found[0], len(text)
                if found := needles.between_gap_and_cut(whole, effort):
                    yield found[0], len(text)


def _whole_run(text: str, start: int, end: int) -> Range:
    before = text[max(0, start - _MOST_BESIDE_CHARS) : start]
    after = text[end : end + _MOST_BESIDE_CHARS]
    rest = after.lstrip(_BASE64_CHARS)
    padding = len(rest) - len(rest.lstrip("="))
    return start - len(before) + len(before.rstrip(_BASE64_CHARS)), end + len(after) - len(rest) + min(
        padding, 2
    )


def _replaced(text: str, ranges: list[Range]) -> str:
    pieces: list[str] = []
    done = 0
    for start, end in sorted(ranges):
        # A range that touches the one before is masked with it.
        if start > done or not pieces:
            pieces += (text[done:start], MASK)
        done = max(done, end)
    return "".join([*pieces, text[done:]])
