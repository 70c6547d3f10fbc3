"""Which lines `show_command` sends: only lines that read, so the block can promise that it changes nothing.

Some command lines are a shell, or pass what stands behind `|` to one: on Linux, VyOS, SONiC and others. So a line
must also be harmless in a shell, whatever platform the inventory names.
"""

import re
from typing import Final

from sdk.connection import Connection
from sdk.connection.errors import NotSupportedError

# Shortened as devices allow it, as long as the meaning is clear.
_READING: Final = {"show": 2, "display": 4, "get": 3}
# NX-OS runs what stands behind a semicolon, and writes a file with `>`. A shell reads the others as more commands.
_OF_A_SHELL: Final = re.compile(r"[;>&`]|<\(|\$[({\[]|\(\s*\)")
# Filters that search. Their pattern may have a `|` in it.
_SEARCHING: Final = frozenset(
    {"begin", "count", "except", "exclude", "find", "include", "match", "no-match", "section"}
)
_READING_FILTERS: Final = _SEARCHING | {
    *("by-linenum", "compare", "cut", "display", "egrep", "fgrep", "format", "grep", "head", "human", "json"),
    *("json-pretty", "last", "no-more", "nz", "resolve", "strip-private", "tail", "tr", "trim", "wc", "xml"),
}
# Filters that write a file on IOS, IOS-XR, NX-OS, EOS and Junos. A shortened name may mean one of these.
_WRITING_FILTERS: Final = ("append", "file", "redirect", "save", "tee")
# What Junos searches for. The program `find` of a shell would read options, and can delete files with one.
_FOUND: Final = re.compile(r'"?\^?\w(?:[\w ./:|]|(?<=\w)-)*"?')
_BARE_SHELL: Final = re.compile(r"(.+_)?linux(_ssh)?")


def reading_command(value: str) -> str:
    """Return one line that only reads.

    Raises:
        ValueError: it is not a single line, does not begin with show, display or get, or could do more than read.
    """
    line = value.strip()
    if not line.isprintable():
        raise ValueError("must be one line without control characters")
    if _written_out(line.split(maxsplit=1)[0].lower() if line else "") is None:
        raise ValueError("must begin with show, display or get")
    if found := _OF_A_SHELL.search(line):
        raise ValueError(f"must not contain {found[0]}")
    stages = _stages(line)
    if any(map(_may_write, stages)):
        raise ValueError("must not write a file (append, file, redirect, save or tee behind |)")
    for stage in stages[1:]:
        _check_filter(stage)
    return line


def as_sent(line: str) -> str:
    """Return a line of `reading_command` in the form that is sent: same for a device, and harmless for a shell.

    `sh` is a shell, so the first word is written out. A shell runs what stands behind a bare `|`. It refuses the whole
    line if the `|` is in parentheses, so alternatives get parentheses.
    """
    first, _, rest = line.partition(" ")
    command, *filters = _stages(f"{_written_out(first.lower()) or first} {rest}".strip())
    return "|".join([command, *map(_grouped, filters)])


def refuse_bare_shell(connection: Connection) -> None:
    """Do nothing unless the device's command line is the shell of an operating system, which has no `show`.

    Raises:
        NotSupportedError: it is such a shell. Nothing was sent.
    """
    if _BARE_SHELL.fullmatch(connection.netmiko_type):
        raise NotSupportedError(
            f"{connection.where} is of the platform {connection.platform}: its command line is a shell, which has no "
            "show commands. Use a block that reads facts, interfaces or routes.",
            where=connection.where,
            retryable=False,
        )


def _written_out(first: str) -> str | None:
    return next(
        (word for word, least in _READING.items() if word.startswith(first) and len(first) >= least), None
    )


def _first_word(text: str) -> str:
    return text.split(maxsplit=1)[0].lower() if text.strip() else ""


def _may_write(stage: str) -> bool:
    first, *further = stage.split("|")
    if _is_one_of(_first_word(first), _SEARCHING):
        # Filters that write need the name of a file. A single word is a pattern, such as `Te` of `include Gi|Te`.
        further = [piece for piece in further if len(piece.split()) != 1]
    words = [_first_word(piece) for piece in (first, *further)]
    return any(writing.startswith(word) for word in words for writing in _WRITING_FILTERS)


def _check_filter(stage: str) -> None:
    name, _, pattern = stage.strip().partition(" ")
    if not _is_one_of(name, _READING_FILTERS):
        raise ValueError(
            f"must have a filter behind | that only reads, such as include or match, and not {name!r}"
        )
    if name.lower() == "find" and not _FOUND.fullmatch(pattern.strip()):
        raise ValueError("must have a plain text behind find")


def _is_one_of(name: str, names: frozenset[str]) -> bool:
    return bool(name) and any(each.startswith(name.lower()) for each in names)


def _stages(line: str) -> list[str]:
    """Split a line at its `|`, but not inside the pattern of a filter that searches."""
    stages = [""]
    for piece in _split_outside(line):
        last = stages[-1]
        is_pattern = len(stages) > 1 and " " in last.strip() and _is_one_of(_first_word(last), _SEARCHING)
        if is_pattern and not last[-1].isspace() and piece[:1].strip():
            stages[-1] += f"|{piece}"
        else:
            stages.append(piece)
    return stages[1:]


def _split_outside(line: str) -> list[str]:
    """Split at each `|` that is neither in quotes nor in parentheses, as a shell does."""
    if re.search(r"\\['\"()]", line):
        return line.split("|")  # devices and shells differ in whether this quotes anything
    pieces, quote, depth = [""], "", 0
    for character in line:
        if character == "|" and not quote and not depth:
            pieces.append("")
            continue
        pieces[-1] += character
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        else:
            depth += {"(": 1, ")": -1 if depth else 0}.get(character, 0)
    return line.split("|") if quote or depth else pieces


def _grouped(stage: str) -> str:
    if len(_split_outside(stage)) == 1:
        return stage
    found = re.fullmatch(r"(\s*(?:s\w*\s+(?:include|exclude)|\S+)\s+)(.*?)(\s*)", stage)
    return stage if found is None else f"{found[1]}({found[2]}){found[3]}"
