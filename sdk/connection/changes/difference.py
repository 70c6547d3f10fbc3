"""The lines that turn one configuration into another. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from sdk.connection.changes.dialect import NO, Dialect, ListEntry
from sdk.connection.changes.lines import ConfigurationLine, Line, Tree

# IOS-XE numbers the lines of an access list, and puts each in its place by the number.
_NUMBERED: Final = re.compile(r"(?:sequence )?\d+ ")


def difference(
    before: Tree, after: Tree, dialect: Dialect, *, is_thorough: bool = False
) -> tuple[ConfigurationLine, ...]:
    """Return the lines to send to a device that has `before`, so that it gets `after`.

    First come the removals, from the bottom up, because a line refers to lines above it. Then come the additions, from
    the top down. If a new line of the same command replaces a line, the old one is not removed first, because that
    would break what works. With `is_thorough` it is removed, for devices that refuse to replace.

    Lines that can't be sent are left out, such as certificates and lines with unknown bytes. They stay a difference,
    and the caller lists them.
    """
    steps = _Steps(dialect, is_thorough)
    steps.compare(before, after, ())
    lines = (*reversed(steps.removals), *steps.additions)
    return tuple(line for line in lines if not line.has_unknown_bytes)


@dataclass(slots=True)
class _Steps:
    dialect: Dialect
    is_thorough: bool
    removals: list[ConfigurationLine] = field(
        default_factory=list
    )  # in the order of the text, sent from the end
    additions: list[ConfigurationLine] = field(default_factory=list)

    def compare(self, before: Tree, after: Tree, parents: tuple[str, ...]) -> None:
        if self.dialect.is_ordered(parents) and not _are_numbered((*before, *after)):
            self._replace_from_first_difference(before, after, parents)
            return
        old = {line.text: line for line in before}
        new = {line.text: line for line in after}
        coming = {self.dialect.key(text) for text in new if text not in old and self.dialect.is_single(text)}
        lists = {each.command for text in old if text in new and (each := self.dialect.list_entry(text))}
        for text, line in old.items():
            if text not in new and (self.is_thorough or self.dialect.key(text) not in coming):
                entry = self.dialect.list_entry(text)
                if entry is None:
                    self._remove(line, parents)
                else:
                    self._remove_entry(entry, parents, stays=entry.command in lists)
            elif text in new:
                self._compare_section(line, new[text], parents)
        for text, line in new.items():
            if text not in old:
                self._add(line, parents)

    def _compare_section(self, old: Line, new: Line, parents: tuple[str, ...]) -> None:
        if old.children or new.children:
            self.compare(old.children, new.children, (*parents, old.text))

    def _replace_from_first_difference(self, before: Tree, after: Tree, parents: tuple[str, ...]) -> None:
        same = 0
        while same < min(len(before), len(after)) and before[same] == after[same]:
            same += 1
        for line in before[same:]:
            self._remove(line, parents)
        for line in after[same:]:
            self._add(line, parents)

    def _remove(self, line: Line, parents: tuple[str, ...]) -> None:
        if self.dialect.is_kept(line.text):
            for child in line.children:
                self._remove(child, (*parents, line.text))
            return
        negation = self.dialect.negation(line.text)
        if negation is not None:
            self.removals.append(ConfigurationLine(negation, parents))

    def _remove_entry(self, entry: ListEntry, parents: tuple[str, ...], *, stays: bool) -> None:
        """Remove one line of a list that keeps others, and all lines of another list at once."""
        if stays:
            self.removals.append(ConfigurationLine(NO + entry.text, (*parents, entry.header)))
            return
        whole = ConfigurationLine(NO + entry.command, parents)
        if whole not in self.removals:
            self.removals.append(whole)

    def _add(self, line: Line, parents: tuple[str, ...]) -> None:
        if self.dialect.unsendable.match(line.text):
            return
        self.additions.append(ConfigurationLine(line.text, parents))
        for child in line.children:
            self._add(child, (*parents, line.text))


def _are_numbered(lines: Tree) -> bool:
    return all(_NUMBERED.match(line.text) for line in lines)
