"""A configuration as a tree of lines, made of the indentation that devices print. Pure."""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

_UNKNOWN: Final = "\N{REPLACEMENT CHARACTER}"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a configuration, without its indentation, and the lines of its section."""

    text: str
    children: tuple[Line, ...] = ()


Tree: TypeAlias = tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class ConfigurationLine:
    """One line as it is sent to a device: its text, and the headers of the sections that it stands in."""

    text: str
    parents: tuple[str, ...] = ()

    def __str__(self) -> str:
        return " / ".join((*self.parents, self.text))

    @property
    def has_unknown_bytes(self) -> bool:
        """Whether a byte of it, or of a header above it, is not known: it came as U+FFFD, as it is no UTF-8.

        A device takes U+FFFD for another text, and shows both in the same way: such a line can't be sent as the device
        has it, and nothing can be sent to such a section.
        """
        return any(_UNKNOWN in text for text in (*self.parents, self.text))


@dataclass(frozen=True, slots=True)
class TypedLine(ConfigurationLine):
    """One line as a person types it: it is sent where the line before it has led, whatever section that is."""


def tree_of(lines: Iterable[str]) -> Tree:
    """Return the tree that indented lines mean. A line belongs to the last one above it that is indented less."""
    roots: list[_Open] = []
    path: list[_Open] = []
    for line in lines:
        text = line.strip()
        if not text:
            continue
        indent = len(line.expandtabs()) - len(line.expandtabs().lstrip())
        while path and path[-1].indent >= indent:
            path.pop()
        entry = _Open(indent, text, [])
        (path[-1].children if path else roots).append(entry)
        path.append(entry)
    return tuple(each.closed() for each in roots)


def text_of(tree: Tree, indent: int = 0) -> str:
    """Return the tree as indented text, a line each, without an end of line at its end."""
    return "\n".join(f"{' ' * depth}{text}" for depth, text in _flat(tree, indent))


def fingerprint_of(tree: Tree) -> str:
    """Return what tells whether two configurations are the same. It holds nothing that can be read back."""
    return hashlib.sha256(text_of(tree).encode()).hexdigest()


def paths_of(tree: Tree, parents: tuple[str, ...] = ()) -> Iterator[ConfigurationLine]:
    """Yield every line with the headers above it, in the order of the text."""
    for line in tree:
        yield ConfigurationLine(line.text, parents)
        yield from paths_of(line.children, (*parents, line.text))


def are_same(one: Tree, other: Tree) -> bool:
    """Tell whether both have the same lines in the same sections, in whatever order."""
    return sorted(paths_of(one), key=_sorting) == sorted(paths_of(other), key=_sorting)


def moved_lines(before: Tree, after: Tree, parents: tuple[str, ...] = ()) -> Iterator[ConfigurationLine]:
    """Yield the lines of `after` that stand in another place than in `before`, among those that both have."""
    old, new = {line.text: line for line in before}, {line.text: line for line in after}
    texts = [text for text in new if text in old]
    matcher = difflib.SequenceMatcher(None, [text for text in old if text in new], texts, autojunk=False)
    blocks = matcher.get_matching_blocks()
    in_place = {text for block in blocks for text in texts[block.b : block.b + block.size]}
    for text in texts:
        if text not in in_place:
            yield ConfigurationLine(text, parents)
        yield from moved_lines(old[text].children, new[text].children, (*parents, text))


def unified_diff(before: Tree, after: Tree, context_lines: int = 2) -> str:
    """Return a unified diff for people. Each part of it names the section that it begins in."""
    old = text_of(before).splitlines()
    parts = difflib.unified_diff(
        old, text_of(after).splitlines(), "before", "after", lineterm="", n=context_lines
    )
    return "\n".join(_with_section(part, old) for part in parts)


@dataclass(slots=True)
class _Open:
    indent: int
    text: str
    children: list[_Open]

    def closed(self) -> Line:
        return Line(self.text, tuple(each.closed() for each in self.children))


_HUNK = re.compile(r"^@@ -(\d+)(?:,(\d+))? \+")


def _with_section(part: str, old: list[str]) -> str:
    match = _HUNK.match(part)
    if match is None:
        return part
    # A part without old lines names the line before it, one with some its own first.
    first = int(match[1]) - (0 if match[2] == "0" else 1)
    if first >= len(old) or not old[first].startswith(" "):
        return part
    header = next((line for line in reversed(old[:first]) if not line.startswith(" ")), None)
    return part if header is None else f"{part} {header}"


def _flat(tree: Tree, depth: int) -> Iterator[tuple[int, str]]:
    for line in tree:
        yield depth, line.text
        yield from _flat(line.children, depth + 1)


def _sorting(line: ConfigurationLine) -> tuple[tuple[str, ...], str]:
    return line.parents, line.text
