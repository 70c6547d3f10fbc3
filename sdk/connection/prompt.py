"""What the end of a device's text means: a prompt, a pager, a question. Pure functions."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

# ECMA-48: control sequences, then strings such as a window's title, then the short sequences.
_ESCAPES: Final = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]{0,200}(?:\x07|\x1b\\)|\x1b[ -/]*[0-DF-Z\\-~]"
)
_NEXT_LINE: Final = "\x1bE"
_LINE_ENDS: Final = re.compile(r"\r+\n|\n\r|\r")

# The last character of nearly every prompt, and 120 characters, which no prompt exceeds.
_PROMPT: Final = re.compile(r"^\s{0,2}\S(?:.{0,118}?\S)??(?<=[>#$%~])\s{0,2}$")
_LONE_PROMPT: Final = re.compile(r"^\s{0,2}[>#$%]\s{0,2}$")
# The whole prompt of VRP and Comware: <r1>, and [r1], [~r1], [*r1-GigabitEthernet0/0/1] in configuration mode.
_VIEW: Final = re.compile(r"\s{0,2}(?:HRP_[MS])?(?:<[^<>\s]{1,64}>|\[[^\[\]\s]{1,118}\])\s{0,2}")
MODE_LINE: Final = (
    r"(?:[!*+]{0,4}(?:\(\w{1,8}\))?\[[^\n]{0,200}\]"  # Junos: [edit interfaces]; SR OS: [/], *(ex)[/configure]
    r"|\{[^\n]{0,80}\}(?:\[[^\n]{0,200}\])?"  # Junos with two routing engines: {master:0}, {master:0}[edit]
    r"|--\{[^\n]{0,80}\}--\[[^\n]{0,200}\]--)"  # SR Linux: --{ * candidate private }--[ interface lo0 ]--
)
"""A pattern for a line above the prompt in which a device names its mode. It is for a whole line, not for a text."""
_MODE_LINE: Final = re.compile(MODE_LINE)
_DIGITS: Final = re.compile(r"\d+")
_ANY_NUMBER: Final = r"\\d+"
_STEM: Final = re.compile(r"\s*([\w.@-]{2,16})")


class Ask(StrEnum):
    """What a device waits for, if that is not a command."""

    PAGER = "pager"
    QUESTION = "question"
    PASSWORD = "password"  # noqa: S105  # no password


_PAGER: Final = re.compile(
    r"-{1,3}\s*\(?\s*more\s*(\d+%)?[^)]{0,30}\)?\s*-{1,3}|<-+\s*more\s*-+>|press (any key|q|space|enter)\b.*"
    r"|lines \d+-\d+(/\d+)?(\s*\(END\))?|\(END\)|\(more\s*\d*%?\)",
    re.IGNORECASE,
)
_PASSWORD: Final = re.compile(r"(password|passphrase|passcode)[^:\n]{0,60}:\s*$", re.IGNORECASE)
_QUESTION: Final = re.compile(
    r"([\[(]\s*(confirm|yes/no(/\w+)?|y/n(/\w+)?|yes|no|y|n)\s*[\])]\s*[:?]?|\[[^\[\]\n]{0,80}\]\s?[?:])\s*$",
    re.IGNORECASE,
)
_PERHAPS_QUESTION: Final = re.compile(r"(\?|\b(y/n|yes/no)\b\S?|[^\s:]:)\s*$", re.IGNORECASE)


def clean(text: str) -> str:
    """Return `text` without escape sequences and with line feeds only."""
    text = _ESCAPES.sub("", text.replace(_NEXT_LINE, "\n")) if "\x1b" in text else text
    return _LINE_ENDS.sub("\n", text).replace("\x00", "").replace("\x07", "")


def last_line(text: str) -> str:
    """Return what comes after the last line feed of a clean text."""
    return text[text.rfind("\n") + 1 :]


def last_words(text: str) -> str:
    """Return the last line of a clean text that is not empty, to show it to people."""
    stripped = text.rstrip()
    return stripped[stripped.rfind("\n") + 1 :]


def looks_like_prompt(line: str) -> bool:
    """Whether an unfinished line could be the prompt of any device."""
    if _LONE_PROMPT.match(line):
        return True
    return _PROMPT.match(line) is not None and what_is_asked(line) is None


def follows_prompt(line: str, known: str | None) -> bool:
    """Whether an unfinished line could be the prompt of a device that has shown the prompt `known` before.

    A name in square brackets is a prompt only if the prompt before was all in brackets: elsewhere it is `[OK]`.
    """
    if looks_like_prompt(line):
        return True
    is_view = known is not None and _VIEW.fullmatch(known) is not None and _VIEW.fullmatch(line) is not None
    return is_view and what_is_asked(line) is None


def is_mode_line(line: str) -> bool:
    """Whether a device names its mode with this line, above its prompt."""
    return _MODE_LINE.fullmatch(line) is not None


def mode_above(text: str) -> str:
    """Return the lines right above the last line of a clean text in which the device names its mode; "" for none."""
    *above, _ = text.split("\n")
    first = len(above)
    while first and is_mode_line(above[first - 1]):
        first -= 1
    return "\n".join(above[first:])


def has_prompt_above(text: str, known: str | None) -> bool:
    """Whether a line of a clean text, after the first line, begins like the prompt `known`, or like another prompt of
    the same name.

    A single sign such as `$` begins too many lines to mean anything.
    """
    shown = (known or "").strip()
    if known is None or len(shown) < 2:
        return False
    name = re.escape(stem(known))
    another = rf"|{name}[^\s>#$%~]{{0,100}}[>#$%~]" if name else ""
    pattern = rf"\n[ \t]{{0,2}}(?:{_DIGITS.sub(_ANY_NUMBER, re.escape(shown))}{another})"
    return re.search(pattern, text) is not None


def shape(line: str) -> str:
    """Return the common part of two prompts that differ only in a time or a counter."""
    return _DIGITS.sub("0", line)


def stem(prompt: str) -> str:
    """Return the name at the start of a prompt. Prompts of other modes have the same name. "" if there is none."""
    found = _STEM.match(prompt)
    return found[1] if found else ""


def what_is_asked(line: str) -> Ask | None:
    """Return what an unfinished line waits for, if its words leave no doubt."""
    if _PAGER.fullmatch(line.strip("\x08 ")):
        return Ask.PAGER
    if _PASSWORD.search(line):
        return Ask.PASSWORD
    return Ask.QUESTION if _QUESTION.search(line) else None


def what_may_be_asked(line: str) -> Ask | None:
    """Return what a line may wait for, if nothing has come after it until the limit."""
    return what_is_asked(line) or (Ask.QUESTION if _PERHAPS_QUESTION.search(line) else None)
