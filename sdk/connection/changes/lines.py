"""A configuration as a tree of lines, built from the indentation that devices print. Pure."""

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
    """One line in the form that is sent to a device: its text, and the headers of the sections around it."""

    text: str
    parents: tuple[str, ...] = ()

    def __str__(self) -> str:
        return " / ".join((*self.parents, self.text))

    @property
    def has_unknown_bytes(self) -> bool:
        """Whether it, or a header above it, has an unknown byte: a byte that is not UTF-8 came as U+FFFD.

        For a device U+FFFD is another text, and it shows both in the same way. So such a line can't be sent as the
        device has it, and nothing can be sent to such a section.
        """
        return any(_UNKNOWN in text for text in (*self.parents, self.text))


@dataclass(frozen=True, slots=True)
class TypedLine(ConfigurationLine):
    """One line as a person types it. It goes to whatever section the lines before it have led to."""


def tree_of(lines: Iterable[str]) -> Tree:
    """Return the tree of indented lines. A line belongs to the last line above it with less indentation."""
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
    """Return the tree as indented text, one line for each, without a line end at the end."""
    return "\n".join(f"{' ' * depth}{text}" for depth, text in _flat(tree, indent))


def fingerprint_of(tree: Tree) -> str:
    """Return a text that shows whether two configurations are the same. Nobody can read them back from it."""
    return hashlib.sha256(text_of(tree).encode()).hexdigest()


def paths_of(tree: Tree, parents: tuple[str, ...] = ()) -> Iterator[ConfigurationLine]:
    """Yield every line with the headers above it, in the order of the text."""
    for line in tree:
        yield ConfigurationLine(line.text, parents)
        yield from paths_of(line.children, (*parents, line.text))


def are_same(one: Tree, other: Tree) -> bool:
    """Whether both have the same lines in the same sections, in any order."""
    return sorted(paths_of(one), key=_sorting) == sorted(paths_of(other), key=_sorting)


def moved_lines(before: Tree, after: Tree, parents: tuple[str, ...] = ()) -> Iterator[ConfigurationLine]:
    """Yield the lines that both trees have, but that `after` has in another place than `before`."""
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
    """Return a unified diff for people. Each part names the section in which it begins."""
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
    # A part without old lines gives the number of the line before it. A part with old lines gives its own first line.
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
