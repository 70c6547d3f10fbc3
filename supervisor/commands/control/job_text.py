"""Jobs as commands show them to a person."""

import json
import time
from typing import Any, Final

from supervisor.commands.journal.output import age_text
from supervisor.log.format import printable_line

_LABELS: Final = {
    "job_id": "job",
    "seconds": "took",
    "limit_seconds": "time limit",
    "memory_bytes": "memory",
    "cpu_seconds": "CPU time",
    "stalled_seconds": "no progress for",
    "claimed_at": "claimed",
    "started_at": "started",
    "ended_at": "ended",
    "peak_memory_mb": "most memory",
    "peak_processes": "most processes",
    "log_bytes": "size of log",
    "result_bytes": "size of result",
    "where": "was at",
}
"""What a field is called if that is not its name."""

_OF_LIMITS: Final = {**_LABELS, "seconds": "time", "stall_seconds": "without progress"}
_INDENT: Final = "  "


def memory_text(count: float | None) -> str:
    """Return a number of bytes in a readable unit; empty if it is not known."""
    if count is None:
        return ""
    if count < 1024:
        return f"{count:.0f} bytes" if count != 1 else "1 byte"
    return f"{count / 2**10:.0f} kB" if count < 2**20 else f"{count / 2**20:.0f} MB"


def seconds_text(seconds: float | None) -> str:
    """Return a time; empty if it is not known."""
    return "" if seconds is None else f"{seconds:.1f} s" if seconds < 60 else age_text(seconds)


def moment_text(moment: float) -> str:
    """Return when something was, and how long ago that is. `moment` is in seconds since the epoch."""
    there = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(moment))
    return f"{there} ({age_text(time.time() - moment)} ago)"


def printable(value: object) -> str:
    """Return one line of text that repaints no terminal: ids, blocks and lines come from outside."""
    return printable_line("" if value is None else str(value))


def details_of(job: dict[str, Any]) -> list[tuple[str, str]]:
    """Return what is known of one job, as pairs of a label and a text. Unknown values are left out.

    A text may have several lines.
    """
    labels = _LABELS if job.get("state") == "ended" else {**_LABELS, "seconds": "for"}
    return [
        (labels.get(name, name.replace("_", " ")), text)
        for name, value in job.items()
        if (text := _text_at_any_depth(name, value))
    ]


def details_text(job: dict[str, Any]) -> str:
    """Return all of that as text, one line for each fact; a text of several lines is indented below its label."""
    details = details_of(job)
    width = max(len(label) for label, _ in details)
    lines: list[str] = []
    for label, text in details:
        if "\n" in text:
            lines += [label, *(_INDENT + line for line in text.split("\n"))]
        else:
            lines.append(f"{label:{width}}  {text}")
    return "\n".join(lines)


def _text_at_any_depth(name: str, value: Any) -> str:
    try:
        return _text(name, value)
    except RecursionError:  # a result, which the job may nest to any depth
        return "(nested too deeply to be shown here; see --json)"


def _text(name: str, value: Any) -> str:
    if value is None or value == "":
        return ""
    if name == "limits":
        known = ((_OF_LIMITS.get(key, key), _text(key, each)) for key, each in value.items() if each)
        return ", ".join(f"{label} {text}" for label, text in known)
    if name == "step":
        return printable(value).removeprefix("step ")
    if name.endswith("_at"):
        return moment_text(value)
    if name.endswith("_mb"):
        return memory_text(value * 2**20)
    if name.endswith("_bytes"):
        return memory_text(value)
    if name.endswith("seconds"):
        return seconds_text(value)
    if isinstance(value, dict | list):
        return printable(json.dumps(value, ensure_ascii=False))
    return "\n".join(map(printable, str(value).rstrip("\n").replace("\t", "    ").split("\n")))
