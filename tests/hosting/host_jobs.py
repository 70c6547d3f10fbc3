"""Running one job in the host, and everything that was observed of it as plain JSON."""

import logging
import time
from typing import Any

from supervisor.job.job import Job
from supervisor.job.result import Finished

EMPTY_CONTEXT: dict[str, Any] = {"devices": [], "deviceGroups": [], "interfaces": []}


class JobRecorder(logging.Handler):
    """Keeps what jobs log and print, and what the worker tells of them, by job id; facts beside the event's name."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: dict[str, list[dict[str, Any]]] = {}

    def emit(self, record: logging.LogRecord) -> None:
        line = {
            "level": record.levelname,
            "text": record.getMessage(),
            **{key: record.__dict__.get(key) for key in ("event", "origin", "fields")},
            "stream": None,
            "step": None,
            **record.__dict__["facts"],
        }
        self.lines.setdefault(line["job"], []).append(line)


async def run_job(host: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Run one job; `limits` of the request replace the host's for this job."""
    block = host.catalogue.find(request["block"])
    assert block is not None, [entry.id for entry in host.catalogue.blocks]
    job = Job(
        job_id=str(request["number"]),
        block_id=block.id,
        job_type=request.get("job_type", "execute"),
        run_on=request.get("run_on", "global"),
        parameters=request.get("parameters", {}),
        context=request.get("context", EMPTY_CONTEXT),
        entity_id=request.get("entity_id"),
        step_label=request.get("step_label"),
    )
    host.runner.settings = host.settings.model_copy(update=request.get("limits", {}))
    begun = time.monotonic()
    concluded = await host.runner.run(job, block)
    seconds = time.monotonic() - begun
    # As the worker does, when the result is on its way: the space of its directory is free then.
    await host.runner.wait_until_tidy(job.job_id)
    return as_json(concluded) | {"seconds": seconds, "lines": host.recorder.lines.pop(job.job_id, [])}


def as_json(concluded: Finished) -> dict[str, Any]:
    """Return verdict and evidence."""
    verdict, ending = concluded.verdict, concluded.ending
    status = ending.exit_status
    return {
        "success": verdict.success,
        "cause": verdict.cause.value,
        "message": verdict.message,
        "retryable": verdict.retryable,
        "warning": verdict.warning,
        "body": concluded.body.decode(),
        "acquires": concluded.acquires.decode(),
        "stuck": concluded.stuck,
        "exit_code": status.code if status else None,
        "signal": status.signal_name if status else None,
        "killed": ending.killed,
        "lingered": ending.lingered,
        "leftovers": ending.leftover_processes,
        "limit": ending.limit.kind.value if ending.limit else None,
        "measured": ending.limit.measured if ending.limit else None,
        "elapsed": ending.usage.elapsed_seconds,
        "peak_memory_mb": ending.usage.peak_memory_mb,
        "cpu_seconds": ending.usage.cpu_seconds,
        "stack": ending.stack,
        "silent": ending.silent_seconds,
        "last_output": ending.last_output,
    }
