"""The differences between the configurations of platforms, as data. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sdk.connection.changes.lines import Line, Tree, tree_of

_NEVER = re.compile(r"(?!)")
NO = "no "


@dataclass(frozen=True, slots=True)
class ListEntry:
    """A line of a list that has no section of its own.

    `no` with `command` removes the whole list, also if the rest of the line follows. In the section `header`, `no` with
    `text` removes this line alone.
    """

    command: str
    header: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How to read a platform's configuration, and how to take lines back. Each pattern is matched to a line's text.

    Args:
        noise: lines that are not configuration, or change by themselves: times, sizes, versions. Matched at the start.
        closers: lines that only end a section or the configuration. The whole line must match.
        single: commands that a section has once, matched at the start. Two lines are the same command if the groups of
            the pattern are equal, or the whole match if it has no groups.
        kept: headers of sections that can't be removed, such as a physical port; their lines can. The whole line.
        hidden: headers of sections that the device does not show while they are empty. The whole line.
        ordered: headers of sections in which the order of the lines matters. The whole line.
        defaults: commands that are in force unless negated: `no …` is shown, the command itself not. The whole line.
        negative: commands whose absence is shown as `no …`. Matched at the start; the device shows the match.
        shortened: if a line begins like this, its negation is the match alone, without the rest.
        cascades: commands that remove others when they are removed: all that begin with the first group.
        entries: lines of lists without a section (see `ListEntry`), each with the header of the section, with `{}` for
            the list's name. The groups are the command, the name and the entry. The whole line.
        blocks: a line that begins a text of several lines; the first group is the character that ends the text.
        block_sign: the character with which the device prints such a text, whatever character was typed.
        unsendable: lines that a device prints but does not accept from a person, such as certificates. At the start.
        stored_apart: lines with a file of their own, such as certificates: the running configuration prints the text
            below the line, the saved one names the file behind it. Only the first group counts. The whole line.
    """

    noise: re.Pattern[str] = _NEVER
    closers: re.Pattern[str] = _NEVER
    single: re.Pattern[str] = _NEVER
    kept: re.Pattern[str] = _NEVER
    hidden: re.Pattern[str] = _NEVER
    ordered: re.Pattern[str] = _NEVER
    defaults: re.Pattern[str] = _NEVER
    negative: re.Pattern[str] = _NEVER
    shortened: re.Pattern[str] = _NEVER
    cascades: re.Pattern[str] = _NEVER
    entries: tuple[tuple[re.Pattern[str], str], ...] = ()
    blocks: re.Pattern[str] = _NEVER
    block_sign: str = ""
    unsendable: re.Pattern[str] = _NEVER
    stored_apart: re.Pattern[str] = _NEVER

    def read(self, text: str) -> Tree:
        """Return the tree of a configuration as the device prints it, without lines that change by themselves."""
        return _once(self._in_short(tree_of(self._joined(self._meant(text.splitlines())))))

    def read_lines(self, lines: Iterable[str]) -> Tree:
        """Return the tree of lines that a person has written. A section may come more than once."""
        return tree_of(self._joined(self._meant(lines)))

    def read_typed(self, lines: Iterable[str]) -> list[str]:
        """Return the commands that a person types, in their order, not indented, with those that end a section."""
        return [line.strip() for line in self._joined(self._meant(lines, with_closers=True))]

    def key(self, text: str) -> str:
        """Return a text that is equal for two lines of a section if the later line replaces the other."""
        command = bare(text)
        match = self.single.match(command)
        if match is None:
            return command
        return " ".join(group for group in match.groups() if group is not None) or match.group()

    def is_single(self, text: str) -> bool:
        """Whether a section has at most one line of this command."""
        return self.single.match(bare(text)) is not None

    def negation(self, text: str) -> str | None:
        """Return the line that takes `text` back, None if there is none."""
        if text.startswith(NO):
            command = text.removeprefix(NO)
            # Only an address removes `no ip address`.
            return None if self.negative.match(command) else command
        match = self.shortened.match(text)
        return NO + (text if match is None else match.group())

    def list_entry(self, text: str) -> ListEntry | None:
        """Return how to remove a line of a list that has no section; None for any other line."""
        for pattern, header in self.entries:
            match = pattern.fullmatch(text)
            if match is not None:
                return ListEntry(match[1], header.format(match[2]), match[3])
        return None

    def is_kept(self, text: str) -> bool:
        """Whether the section with this header itself can't be removed."""
        return self.kept.fullmatch(text) is not None

    def is_ordered(self, parents: tuple[str, ...]) -> bool:
        """Whether the order of lines matters in the section with these headers."""
        return bool(parents) and self.ordered.fullmatch(parents[-1]) is not None

    def without_blocks(self, lines: Iterable[str]) -> Iterator[str]:
        """Yield the lines that are commands. Of a text of several lines, this is only the first."""
        end: str | None = None
        for line in lines:
            if end is None:
                yield line
                end = self._block_end(line.strip())
            elif end in line:
                end = None

    def block(self, text: str) -> tuple[str, str] | None:
        """Return the part before the first sign of a text of several lines, and the part between its two signs.

        None for any other line, and for a text without an end.
        """
        match = self.blocks.match(text)
        if match is None or match[1] not in text[match.end() :]:
            return None
        return text[: match.start(1)], text[match.end() :].partition(match[1])[0]

    def _in_short(self, tree: Tree) -> Tree:
        lines = []
        for line in tree:
            match = self.stored_apart.fullmatch(line.text)
            lines.append(Line(match[1]) if match else Line(line.text, self._in_short(line.children)))
        return tuple(lines)

    def _canonical(self, text: str) -> str:
        bare_text = text.lstrip()
        block = self.block(bare_text)
        if block is None:
            return text
        indent = text[: len(text) - len(bare_text)]
        return f"{indent}{block[0]}{self.block_sign}{block[1]}{self.block_sign}"

    def _meant(self, lines: Iterable[str], *, with_closers: bool = False) -> Iterator[str]:
        block_end: str | None = None
        for line in lines:
            text = line.strip()
            if block_end is not None:
                yield line
                block_end = None if block_end in line else block_end
                continue
            if not text or text.startswith("!") or self.noise.match(text):
                continue
            if self.closers.fullmatch(text) and not with_closers:
                continue
            block_end = self._block_end(text)
            yield line.rstrip()

    def _block_end(self, text: str) -> str | None:
        match = self.blocks.match(text)
        return None if match is None or match[1] in text[match.end() :] else match[1]

    def _joined(self, lines: Iterable[str]) -> Iterator[str]:
        """Join a text of several lines into one line, so that nobody takes its parts for commands."""
        block: list[str] = []
        end: str | None = None
        for line in lines:
            if end is None:
                end = self._block_end(line.strip())
                if end is None:
                    yield self._canonical(line)
                    continue
                block = [line]
                continue
            block.append(line)
            if end in line:
                yield self._canonical("\n".join(block))
                end = None
        if end is not None:
            yield "\n".join(block)


def words(pattern: str) -> re.Pattern[str]:
    """Compile a pattern that matches whole words at the start of a line."""
    return re.compile(rf"(?:{pattern})(?= |$)")


def bare(text: str) -> str:
    """Return a line without the `no` in front of it."""
    return text.removeprefix(NO)


def _once(tree: Tree) -> Tree:
    """Join sections that are printed in several parts, and join equal lines: a device can't hold a line twice."""
    seen: dict[str, Line] = {}
    for line in tree:
        before = seen.get(line.text)
        children = line.children if before is None else (*before.children, *line.children)
        seen[line.text] = Line(line.text, children)
    return tuple(Line(each.text, _once(each.children)) for each in seen.values())
