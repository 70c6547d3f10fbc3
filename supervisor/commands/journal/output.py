"""Claims as `supervisor journal` prints them."""

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from rich.markup import escape

from supervisor.commands.shared.console import OutputConsole
from supervisor.commands.shared.json_output import print_json
from supervisor.commands.shared.table import print_rows
from supervisor.journal import Entry
from supervisor.log.format import printable_line

_STATES: Final = {
    "running": "running",
    "waiting": "waits for delivery",
    "dead": "dead letter",
    "set aside": "set aside",
}
_UNITS: Final = ((86400, "d"), (3600, "h"), (60, "min"))


def print_entries(entries: Sequence[Entry], source: Path, *, as_json: bool) -> None:
    """Print a list of claims, without their results."""
    if as_json:
        print_json({"journal": str(source), "claims": [summary_of(entry) for entry in entries]})
        return
    console = OutputConsole()
    if not entries:
        console.print(f"The engine has the results of all jobs of {escape(str(source))}.")
        return
    titles = ("number", "job", "block", "state", "since", "bytes", "reason")
    rows = []
    now = time.time()
    for entry in entries:
        size = "" if entry.size is None else str(entry.size)
        row = (
            str(entry.number),
            printable_line(entry.claim.job_id),
            printable_line(entry.claim.block_id),
            _STATES[entry.state],
            age_text(now - since(entry)),
            size,
            printable_line(entry.dead_reason or ""),
        )
        rows.append(row)
    print_rows(console, titles, rows, right=("number", "bytes"))


def print_entry(entry: Entry) -> None:
    """Print one claim with its result, as JSON."""
    print_json({**summary_of(entry), "result": _parsed(entry.result)})


def summary_of(entry: Entry) -> dict[str, Any]:
    """Return what is known of a claim, without its result. Times are seconds since the epoch."""
    claim = entry.claim
    return {
        "number": entry.number,
        "job_id": claim.job_id,
        "block_id": claim.block_id,
        "worker_uuid": claim.worker_uuid,
        "state": entry.state,
        "claimed_at": claim.claimed_at,
        "finished_at": entry.finished_at,
        "age_seconds": round(max(0.0, time.time() - since(entry)), 1),
        "result_bytes": entry.size,
        "reason": entry.dead_reason,
        "replaced_by": entry.replaced_by,
    }


def since(entry: Entry) -> float:
    """Return when the claim's state began, as far as it is known: results of older versions have no time."""
    return entry.finished_at or entry.claim.claimed_at


def age_text(seconds: float) -> str:
    """Return an age for a person, in its two largest units."""
    left = max(0, int(seconds))
    for unit, (size, name) in enumerate(_UNITS):
        if left >= size:
            smaller, small_name = (*_UNITS, (1, "s"))[unit + 1]
            return f"{left // size} {name} {left % size // smaller} {small_name}"
    return f"{left} s"


def _parsed(result: bytes | None) -> Any:
    if result is None:
        return None
    try:
        return json.loads(result)
    except (ValueError, RecursionError):
        return result.decode(errors="backslashreplace")
