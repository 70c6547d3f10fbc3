"""The exit codes of the commands that ask a running worker: one table, which the documentation shows."""

from typing import Final

DONE: Final = 0
NO: Final = 1
USAGE: Final = 2
NO_WORKER: Final = 3
NOT_ALLOWED: Final = 4
UNKNOWN_JOB: Final = 5

MEANINGS: Final = {
    DONE: "It is done, or the answer is yes: `status` found a worker that is ready.",
    NO: "The answer is no: the worker is not ready (`status`), a reload was refused or left no block that the engine "
    "takes, nothing was cancelled, no log of the job is kept (`logs`), it gave no stack (`stack`).",
    USAGE: "Wrong usage, or the beginning of an id that several jobs have. Nothing was done.",
    NO_WORKER: "No worker could be asked: none runs there, its control socket is off, it does not answer, or it is on "
    "its way up and answers `status` alone.",
    NOT_ALLOWED: "You may not ask this worker. Run the command as root or as the worker's user.",
    UNKNOWN_JOB: "The worker does not know this job, or not any more.",
    74: "The output could not be written, as on a full disk. Whatever was asked may have been done.",
    130: "Ended by Ctrl-C.",
    141: "Nobody reads the output any more, as with `| head`.",
    143: "Ended by SIGTERM.",
}

_OF_CAUSES: Final = {
    "wrong_arguments": USAGE,
    "ambiguous_job": USAGE,
    "unknown_command": NO_WORKER,
    "starting": NO_WORKER,
    "busy": NO_WORKER,
    "unknown_job": UNKNOWN_JOB,
}


def exit_code_of(cause: str) -> int:
    """Return the exit code for an error answer. `cause` is the field of that name (`ControlError`)."""
    return _OF_CAUSES.get(cause, NO)
