"""Running one bomb in a job host, and looking at what lives when its result is out."""

import os
from pathlib import Path
from typing import Any, Final

from supervisor.process.proc import status_of
from tests.hosting.hosting import BLOCKS, Host

MOST_PROCESSES: Final = 200
OPTIONS: Final = {"sources": (BLOCKS,), "limits": {"max_job_processes": MOST_PROCESSES}}
WAIT_SECONDS: Final = 120.0


def without_privileges() -> tuple[str, ...]:
    """Return what a command begins with to have no capabilities: root's are dropped; it still owns its files."""
    has_any = int(status_of(os.getpid())["CapEff"], 16)
    return ("setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs") if has_any else ()


def below(pid: int, spared: set[int]) -> set[int]:
    """Return all that lives below `pid`, by one look at every process; not `spared` and what is below them."""
    parents: dict[int, int] = {}
    for name in filter(str.isdecimal, os.listdir("/proc")):
        try:
            fields = Path(f"/proc/{name}/stat").read_text(errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        if fields[0] not in "ZX" or int(fields[17]) > 1:  # its first thread has ended, and others live
            parents[int(name)] = int(fields[1])
    found: set[int] = set()
    fresh = {pid}
    while fresh:
        fresh = {one for one, parent in parents.items() if parent in fresh} - found - spared
        found |= fresh
    return found


def bomb(host: Host, kind: str) -> dict[str, Any]:
    """Run a bomb. `left` is what it started and lives when the result is out."""
    own = {host.ask("processes")["template"]} | below(host.pid, set())
    block = "under_test/detonates:1.0.0"
    number = host.send("run_and_watch_the_loop", block=block, parameters={"text": kind})
    seen = host.wait(number, WAIT_SECONDS)
    # The template forks the next spare meanwhile, by a process that lives for a moment.
    left = below(host.pid, own) - own
    known = host.ask("processes")
    seen["left"] = sorted(left - {*known["spares"], *known["holders"]})
    return seen
