"""`status`: whether the worker takes jobs, why not, other problems, and its work."""

import os
from typing import Any, Final

from supervisor.settings.origins import shown
from supervisor.worker.control.starting import version
from supervisor.worker.control_socket.protocol import JsonObject, Request
from supervisor.worker.intake import Intake
from supervisor.worker.offered_blocks import not_imported
from supervisor.worker.parts import Parts
from supervisor.worker.readiness import JOURNAL_PROBLEM, Reason, why_not_ready

ENDED_JOBS: Final = "ended_jobs"
"""Cause of a warning: ended jobs are not kept, so `supervisor job` and `supervisor logs` don't know them."""

JOURNAL: Final = "journal"
"""Cause of a warning: jobs go on, and their data in the journal are lost if this worker is."""


async def status(parts: Parts, _: Request) -> JsonObject:
    """Return the worker's state."""
    return status_of(parts)


def warnings_of(parts: Parts) -> tuple[Reason, ...]:
    """Return the problems of a worker that still takes jobs."""
    warnings: list[Reason] = []
    if parts.journal.is_in_trouble:
        warnings.append(Reason(JOURNAL, JOURNAL_PROBLEM))
    kept = parts.dispatcher.records.kept
    if kept is not None and kept.problem is not None:
        warnings.append(Reason(ENDED_JOBS, kept.problem))
    return tuple(warnings)


def _intake_of(intake: Intake) -> JsonObject:
    """Return whether the worker polls for jobs; if not, who has decided that, for how long, and why."""
    state = intake.state
    return {
        "mode": state.mode.value,
        "by": state.by or None,
        "note": state.note or None,
        "seconds": None if state.is_open else intake.seconds_in_mode,
        "seconds_left": intake.seconds_left,
    }


def status_of(parts: Parts) -> JsonObject:
    """Return the worker's state as plain data."""
    dispatcher, registration = parts.dispatcher, parts.registration
    reasons = why_not_ready(parts.readiness)
    states = [job.state for job in dispatcher.running_jobs.listed()]
    waiting = states.count("waiting")
    facts: dict[str, Any] = {
        "ready": not reasons,
        "version": version(),
        "started_at": parts.started_at,
        "why_not": [{"cause": reason.cause, "message": reason.message} for reason in reasons],
        "warnings": [{"cause": each.cause, "message": each.message} for each in warnings_of(parts)],
        "worker": registration.uuid,
        "name": parts.settings.worker_name,
        "pid": os.getpid(),
        "engine_url": shown(parts.settings.engine_url),
        "engine_silent_seconds": parts.engine_silent_seconds,
        "intake": _intake_of(parts.intake),
        "blocks": len(registration.accepted),
        "code": {block.id: block.code_digest for block in dispatcher.catalogue.blocks},
        "not_imported": list(not_imported(dispatcher.catalogue)),
        "slots": dispatcher.slots,
        "running": len(states) - waiting,
        "waiting": waiting,
        "results_waiting": parts.delivery.waiting,
        "state_dir": str(parts.settings.state_dir),
    }
    return facts
