"""Jobs as commands show them to a person."""

import time
from typing import Any

from supervisor.commands.journal.output import age_text


def memory_text(count: float | None) -> str:
    """Return a number of bytes in megabytes; empty for what is not known."""
    return "" if count is None else f"{count / 2**20:.0f} MB"


def seconds_text(seconds: float | None) -> str:
    """Return a time; empty for what is not known."""
    return "" if seconds is None else f"{seconds:.1f} s" if seconds < 60 else age_text(seconds)


def printable(value: object) -> str:
    """Return a text that repaints no terminal: ids, blocks and lines come from elsewhere."""
    text = "" if value is None else str(value)
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def details_of(job: dict[str, Any]) -> list[tuple[str, str]]:
    """Return what there is to say of one job, as pairs of a word and a text. What is not known is left out."""
    return [
        (name.removesuffix("_bytes").replace("_", " "), text)
        for name, value in job.items()
        if (text := _text(name, value))
    ]


def _text(name: str, value: Any) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, dict):
        return ", ".join(
            f"{key.removesuffix('_bytes').replace('_', ' ')} {_text(key, each)}"
            for key, each in value.items()
            if each
        )
    if name.endswith("_at"):
        return f"{time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(value))} ({age_text(time.time() - value)} ago)"
    if name.endswith("_bytes"):
        return memory_text(value)
    if name.endswith("seconds"):
        return seconds_text(value)
    return printable(value)
