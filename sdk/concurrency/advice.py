"""The advice for an author about code that blocks."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from typing import Final

from sdk.concurrency.authorship import Line

EXAMPLE: Final = """\
    from sdk.concurrency import run_in_thread, run_parallel

    @run_in_thread
    def show(host: str) -> str:
        ...  # what blocks: netmiko, requests, time.sleep

    outputs = await run_parallel(*(show(host) for host in hosts), limit=50)"""

_MOST_LINES: Final = 30


def advice(
    name: str, seconds: float, threshold_seconds: float, lines: Sequence[Line], *, held_gil: bool
) -> str:
    """Return the warning. `lines` are the author's, innermost first."""
    held = ""
    if held_gil:
        held = (
            "\nIt is C code that holds the GIL, so no other thread can run either, and a thread does not help. "
            "Do it in smaller pieces, or in a process of its own."
        )
    return (
        f"{name} blocks its event loop: one piece of code has run for {seconds:.1f} s without an await. Nothing else "
        f"of this job could run meanwhile. (The limit is {threshold_seconds:g} s.) "
        f"Blocking at (most recent call last):\n"
        f"{_shown(lines)}\nRun what blocks in a thread, and await that:\n{EXAMPLE}{held}"
    )


def _shown(lines: Sequence[Line]) -> str:
    innermost = lines[0]
    if innermost.number == 0:
        return (
            f"  {innermost.file}, which the event loop itself calls (loop.call_soon, call_later and the like)"
        )
    shown = [
        traceback.FrameSummary(line.file, line.number, line.function)
        for line in reversed(lines[:_MOST_LINES])
    ]
    return "".join(traceback.format_list(shown)).rstrip("\n")
