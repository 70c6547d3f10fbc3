"""What the end of a device's text means: a prompt, a pager, a question. Pure functions."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

# ECMA-48: control sequences, then strings such as a window's title, then the short ones.
_ESCAPES: Final = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]{0,200}(?:\x07|\x1b\\)|\x1b[ -/]*[0-DF-Z\\-~]"
)
_NEXT_LINE: Final = "\x1bE"
_LINE_ENDS: Final = re.compile(r"\r+\n|\n\r|\r")

# What stands at the end of nearly every prompt, and the 120 characters that no prompt is longer than.
_PROMPT: Final = re.compile(r"^\s{0,2}\S(?:.{0,118}?\S)??(?<=[>#$%~])\s{0,2}$")
_LONE_PROMPT: Final = re.compile(r"^\s{0,2}[>#$%]\s{0,2}$")
_DIGITS: Final = re.compile(r"\d+")
_STEM: Final = re.compile(r"\s*([\w.@-]{2,16})")


class Ask(StrEnum):
    """What a device waits for that is no command."""

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
    """Return what stands behind the last line feed of a clean text."""
    return text[text.rfind("\n") + 1 :]


def last_words(text: str) -> str:
    """Return the last line of a clean text that holds anything, to show it to people."""
    stripped = text.rstrip()
    return stripped[stripped.rfind("\n") + 1 :]


def looks_like_prompt(line: str) -> bool:
    """Tell whether a line that did not end could be a prompt of any device."""
    if _LONE_PROMPT.match(line):
        return True
    return _PROMPT.match(line) is not None and what_is_asked(line) is None


def shape(line: str) -> str:
    """Return what two prompts have in common that differ in a time or a counter."""
    return _DIGITS.sub("0", line)


def stem(prompt: str) -> str:
    """Return the name that a prompt begins with, which the prompts of other modes share; "" for none."""
    found = _STEM.match(prompt)
    return found[1] if found else ""


def what_is_asked(line: str) -> Ask | None:
    """Tell what a line that did not end waits for, where it says so in words that leave no doubt."""
    if _PAGER.fullmatch(line.strip("\x08 ")):
        return Ask.PAGER
    if _PASSWORD.search(line):
        return Ask.PASSWORD
    return Ask.QUESTION if _QUESTION.search(line) else None


def what_may_be_asked(line: str) -> Ask | None:
    """Tell what a line may wait for, after which nothing has come until the limit."""
    return what_is_asked(line) or (Ask.QUESTION if _PERHAPS_QUESTION.search(line) else None)
