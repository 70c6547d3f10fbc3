"""Decides which modules of a directory are imported: those whose top level registers something. Pure."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from jobrunner.discovery.mentions import words_of_imports, worth_parsing
from jobrunner.discovery.name_resolver import SDKS, Known, NameResolver
from jobrunner.discovery.top_level import RELATIVE, Applied, Imported, Text, TopLevel, parse, top_level_of

SPARE_BYTES: Final = 1_000_000
"""How much text that can't register anything is parsed nevertheless, for its syntax errors: a fifth of a second."""

ParseError = SyntaxError | ValueError | RecursionError | MemoryError
_EMPTY: Final = "it is empty"
_NOTHING: Final = "nothing at its top level registers a block, a plugin or a test case"
_UNSEEN: Final = "it uses the SDK, but what it registers, if anything, can't be seen at its top level"


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether a module is imported; if not, the reason, or the error that always prevents it."""

    is_imported: bool
    reason: str = ""
    error: ParseError | None = None


def judge(
    texts: Mapping[str, Text],
    seeds: Collection[str] | None = (),
    elsewhere: Callable[[str], Text | None] = lambda name: None,
    spare_bytes: int = SPARE_BYTES,
) -> dict[str, Judgement]:
    """Return a judgement on each of `texts`, the modules of one directory by their names.

    `elsewhere` returns the texts of further modules into which names are followed. They are below one of the packages
    `seeds`. If these are not known, it is None, and every text is parsed. A syntax error is an error in every module
    that may lead to the SDK, and in the others as long as their sizes add up to less than `spare_bytes`.
    """
    worth = set(texts) if seeds is None else worth_parsing(texts, {*SDKS, *seeds})
    with warnings.catch_warnings():
        # Nobody wants a warning about an invalid escape in a script that is not imported.
        warnings.simplefilter("ignore")
        return _Judge(texts, elsewhere).judgements(worth, spare_bytes)


class _Judge:
    def __init__(self, texts: Mapping[str, Text], elsewhere: Callable[[str], Text | None]) -> None:
        self._texts = texts
        self._elsewhere = elsewhere
        self._parsed: dict[str, Known | None] = {}
        self._errors: dict[str, ParseError] = {}
        self._resolver = NameResolver(self._known)

    def judgements(self, worth: Collection[str], spare_bytes: int) -> dict[str, Judgement]:
        found: dict[str, Judgement] = {}
        for name, text in self._texts.items():
            if name in worth:
                found[name] = self._judged(name, text)
                continue
            spare_bytes -= len(text.source)
            error = _syntax_error(text) if spare_bytes >= 0 else None
            found[name] = Judgement(False, _NOTHING if text.source.strip() else _EMPTY, error)
        return found

    def _judged(self, name: str, text: Text) -> Judgement:
        if not text.source.strip():
            return Judgement(False, _EMPTY)
        known = self._known(name)
        if known is None:
            return Judgement(False, error=self._errors[name])
        if any(self._does_register(name, applied) for applied in known[1].applied):
            return Judgement(True)
        return Judgement(False, self._reason(name, text, known[1]))

    def _does_register(self, module: str, applied: Applied) -> bool:
        place = module, applied.name
        follow = self._resolver
        if applied.how == "decorator":
            return follow.registers(place)
        if applied.how == "base":
            return follow.is_base(place) or follow.registers(place)
        if follow.is_registry(place):
            return True
        gets_class = any(follow.is_class((module, argument)) for argument in applied.arguments)
        return (applied.calls > 1 or gets_class) and follow.registers(place)

    def _reason(self, module: str, text: Text, top: TopLevel) -> str:
        for applied, package in self._strangers(module, top):
            return (
                f"{'.'.join(applied.name)}, which decorates {applied.to}, comes from the installed package {package}, "
                "which does not require the SDK, and is not followed there"
            )
        words = words_of_imports(text)
        uses_sdk = bool(SDKS.intersection(words or ())) or any(
            module.partition(".")[0] in SDKS for module in _imported(top)
        )
        return _UNSEEN if uses_sdk else _NOTHING

    def _strangers(self, module: str, top: TopLevel) -> Iterator[tuple[Applied, str]]:
        for applied in top.applied:
            if applied.how == "decorator":
                package = self._resolver.stranger((module, applied.name))
                if package is not None:
                    yield applied, package

    def _known(self, name: str) -> Known | None:
        if name not in self._parsed:
            self._parsed[name] = None  # it stays so for a text that can't be parsed
            own = name.removeprefix(RELATIVE)
            text = self._texts.get(own) or self._elsewhere(own)
            if text is not None:
                try:
                    self._parsed[name] = text, top_level_of(text, parse(text))
                except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
                    self._errors[name] = error
        return self._parsed[name]


def _imported(top: TopLevel) -> Iterator[str]:
    yield from top.stars
    for bindings in top.bindings.values():
        yield from (binding.module for binding in bindings if isinstance(binding, Imported))


def _syntax_error(text: Text) -> ParseError | None:
    try:
        parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return error
    return None
