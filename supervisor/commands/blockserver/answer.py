"""The result of one job as one JSON object: the answer of the block server, and `supervisor run-block --json`."""

import json
import logging
from typing import Any

from supervisor.commands.blockserver.single import Done


def answer_of(done: Done) -> dict[str, Any]:
    """Return everything known about the end of a job, in JSON's own types. Sizes in MB, times in seconds.

    `data`, `db_updates` and `acquires` are what the engine would get, so they are None after a limit.
    """
    verdict, ending = done.finished.verdict, done.finished.ending
    body, acquires = (done.finished.body, done.finished.acquires) if verdict.keeps_outcome else (b"", b"")
    result: dict[str, Any] = json.loads(body or b"{}")
    return {
        "success": verdict.success,
        "cause": str(verdict.cause),
        "message": verdict.message,
        "warning": verdict.warning,
        "retryable": verdict.retryable,
        "data": result.get("data"),
        "db_updates": (result.get("dbUpdates") or {}).get("updates"),
        "acquires": json.loads(acquires) if acquires else None,
        "logs": [
            {"level": logging.getLevelName(line.level), "message": line.message} for line in done.printed.logs
        ],
        "stalls": [{"seconds": stall.seconds, "stack": stall.stack} for stall in done.printed.stalls],
        "stdout": done.printed.stdout.text(),
        "stderr": done.printed.stderr.text(),
        "exit_code": ending.exit_status.code if ending.exit_status else None,
        "signal_name": ending.exit_status.signal_name if ending.exit_status else None,
        "killed": ending.killed,
        "stack": ending.stack,
        "elapsed_seconds": round(ending.usage.elapsed_seconds, 3),
        "peak_memory_mb": ending.usage.peak_memory_mb,
        "cpu_seconds": ending.usage.cpu_seconds,
        "leftover_processes": ending.leftover_processes,
    }
