"""Decides which of the existing modules are imported: their texts are read and judged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from jobrunner.discovery.elsewhere import Elsewhere
from jobrunner.discovery.judgement import Judgement, judge
from jobrunner.discovery.marks import is_named_only
from jobrunner.discovery.module import Module
from jobrunner.discovery.source_text import read_text
from jobrunner.discovery.top_level import Text

_TOP: Final = ""
"""The local name of a directory's own `__init__.py`."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A module below a directory or a package. `local` is the name by which the other modules there import it.

    For the directory's own `__init__.py` it is empty, and this candidate comes before the others.
    `is_named`: the source names a module that is loaded only by its name.
    """

    local: str
    module: Module
    is_package: bool = False
    is_named: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """The modules of a source that are imported; those that are not, and why; and those with an error."""

    modules: tuple[Module, ...] = ()
    left_out: tuple[tuple[Module, str], ...] = ()
    broken: tuple[tuple[Module, Exception], ...] = ()

    @classmethod
    def of(cls, parts: Iterable[Found]) -> Found:
        """Return all parts as one."""
        found = list(parts)
        return cls(
            tuple(module for part in found for module in part.modules),
            tuple(each for part in found for each in part.left_out),
            tuple(each for part in found for each in part.broken),
        )


def choose(
    candidates: list[Candidate], elsewhere: Elsewhere, *, import_all: bool, parse_all: bool = False
) -> Found:
    """Return which of `candidates` are imported. `parse_all`: the words of imports do not show enough."""
    read = {each.local: read_text(Path(each.module.file or "")) for each in candidates}
    marked = {name for name, source in read.items() if isinstance(source, bytes) and is_named_only(source)}
    wanted = [each for each in candidates if each.is_named or not _is_in(each.local, marked)]
    if import_all:
        return Found(modules=tuple(each.module for each in wanted))
    judgements = judge(_texts(candidates, read), None if parse_all else elsewhere.packages, elsewhere.text_of)
    found = Found.of(_judged(each, read[each.local], judgements) for each in wanted)
    return _with_top(found) if _TOP in judgements else found


def _with_top(found: Found) -> Found:
    """Also import the directory's own `__init__.py` with the modules below it, whatever it does itself."""
    if not (found.modules and found.left_out and found.left_out[0][0].is_directory):
        return found
    return replace(found, modules=(found.left_out[0][0], *found.modules), left_out=found.left_out[1:])


def _judged(
    candidate: Candidate, source: bytes | str | OSError, judgements: Mapping[str, Judgement]
) -> Found:
    module = candidate.module
    if isinstance(source, FileNotFoundError) and not module.is_an_authors:
        return Found(modules=(module,))  # compiled, or in an archive: that is no script
    if isinstance(source, OSError):
        return Found(broken=((module, source),))
    if isinstance(source, str):
        return Found(left_out=((module, source),))
    judgement = judgements[candidate.local]
    if judgement.is_imported:
        return Found(modules=(module,))
    if judgement.error is not None:
        return Found(broken=((module, judgement.error),))
    # An `__init__.py` runs with the modules below it, so it would be wrong to report it as left out.
    if candidate.is_package and candidate.local != _TOP:
        return Found()
    return Found(left_out=((module, judgement.reason),))


def _texts(candidates: list[Candidate], read: Mapping[str, bytes | str | OSError]) -> dict[str, Text]:
    texts: dict[str, Text] = {}
    for each in candidates:
        source = read[each.local]
        if isinstance(source, bytes):
            texts[each.local] = Text(each.local, source, each.is_package, each.module.file or "<unknown>")
    for name in list(texts):
        # A directory without an `__init__.py` is also a package.
        while (name := name.rpartition(".")[0]) and name not in texts:
            texts[name] = Text(name, b"", is_package=True)
    return texts


def _is_in(name: str, marked: set[str]) -> bool:
    parts = name.split(".")
    return any(".".join(parts[:depth]) in marked for depth in range(1, len(parts) + 1))
