"""Whether this worker takes jobs, and why not: one function for `supervisor status`, `top`, `/ready` and systemd."""

from dataclasses import dataclass
from typing import Final

STARTING: Final = "starting"
NO_CHILD: Final = "no_child"
NO_SLOT: Final = "no_slot"
NO_BLOCK: Final = "no_block"
ENGINE_SILENT: Final = "engine_silent"
RESULTS_WAITING: Final = "results_waiting"
STOPPING: Final = "stopping"

CAUSES: Final = {
    STARTING: "The worker is on its way up: blocks are imported, the engine has not taken the worker yet, or the first "
    "child is not ready yet.",
    NO_CHILD: "No child can be started, so no job is asked for.",
    NO_SLOT: "Every slot is held by a process that can't be killed.",
    ENGINE_SILENT: "The engine can't be asked for jobs, or does not hear the heartbeat.",
    NO_BLOCK: "The engine has accepted none of the worker's blocks, or does not know the worker any more and has not "
    "taken it back yet, so no job is asked for.",
    RESULTS_WAITING: "The engine does not take results, and too many of them wait.",
    STOPPING: "The worker was told to stop.",
    "paused": "Somebody has paused the worker (`supervisor pause`).",
    "draining": "Somebody has drained the worker (`supervisor drain`), and jobs run still.",
    "drained": "The worker was drained, and waits for `supervisor resume` or its stop.",
}
"""All causes why a worker may take no jobs, for the documentation."""

JOURNAL_PROBLEM: Final = "the journal's disk does not take what has to survive the worker"
"""Shown for a worker whose jobs still go on: it polls for jobs, so it is ready."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a worker is not ready. `cause` is for programs: a key of `CAUSES`."""

    cause: str
    message: str


@dataclass(frozen=True, slots=True)
class ReadinessFacts:
    """What is known of a worker at this moment."""

    stopping: bool = False
    child_problem: str | None = None
    """Why no child can be taken now; empty while the first one is on its way (`JobRunner.problem`)."""
    slots: int = 1
    """Without those that are set aside."""
    engine_problem: str | None = None
    delivery_problem: str | None = None
    blocks_problem: str | None = None
    """Why the engine has accepted no block (`Registration.problem`)."""
    intake: Reason | None = None
    """Set if somebody has paused or drained the worker."""


def why_not_ready(facts: ReadinessFacts) -> tuple[Reason, ...]:
    """Return why this worker takes no jobs, the most important reason first; empty if it takes them."""
    reasons: list[Reason] = []
    if facts.stopping:
        reasons.append(Reason(STOPPING, "the worker stops"))
    if facts.intake is not None:
        reasons.append(facts.intake)
    if facts.child_problem == "":
        reasons.append(Reason(STARTING, "starting: the first child is not ready yet"))
    elif facts.child_problem is not None:
        text = f"no job can be started, so none is asked for: {facts.child_problem}"
        reasons.append(Reason(NO_CHILD, text))
    if facts.slots < 1:
        text = "every slot is held by a process that can't be killed, so no job is asked for"
        reasons.append(Reason(NO_SLOT, text))
    for cause, problem in ((ENGINE_SILENT, facts.engine_problem), (RESULTS_WAITING, facts.delivery_problem)):
        if problem is not None:
            reasons.append(Reason(cause, f"the engine can't be asked for jobs: {problem}"))
    if facts.blocks_problem is not None:
        reasons.append(Reason(NO_BLOCK, f"no job is asked for: {facts.blocks_problem}"))
    return tuple(reasons)
