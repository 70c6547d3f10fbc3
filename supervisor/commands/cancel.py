"""`supervisor cancel`: ends one job of a running worker."""

import sys
from typing import Any, Final

from pydantic import Field
from pydantic_settings import CliPositionalArg

from supervisor.commands.control.requests import run_request
from supervisor.commands.control.settings import ControlSettings
from supervisor.commands.shared.common import read_settings
from supervisor.commands.shared.json_output import print_json
from supervisor.log.format import printable
from supervisor.worker.control_socket.client import ControlClient, NoWorkerError
from supervisor.worker.control_socket.exit_codes import DONE, NO

PROGRAM: Final = "supervisor cancel"
_EPILOG: Final = """\
The worker asks a running job to clean up, and kills it after the worker's
--grace-seconds. It does not start a job that waits for a slot. The engine gets
a failed result with the cause `cancelled`. The command returns when the job has
ended. If that takes a second, stderr says what it waits for. Ctrl-C does not
take the cancel back.

Exit code 0: the job was cancelled. 1: it was not, because it has ended in
another way or is being ended already. 3: there is no worker to ask. 4: you may
not ask it. 5: the worker has no such job."""


class CancelSettings(ControlSettings):
    """End a job of a running worker, with a failed result that says so."""

    job_id: CliPositionalArg[str] = Field(
        description="The job's id, as `supervisor jobs` and the log show it, or its first characters, at least 6."
    )


def run(arguments: list[str]) -> int:
    """Cancel the job. Returns 0, 1 if it ended otherwise, or see `control_socket.exit_codes`."""
    settings = read_settings(CancelSettings, arguments, PROGRAM, _EPILOG)

    def ask(client: ControlClient) -> int:
        answer: dict[str, Any] = {}
        for answer in client.stream("cancel", job_id=settings.job_id, hint=not settings.as_json):
            if "waits_for" in answer:
                print(
                    f"{PROGRAM}: {_waiting(answer)} Ctrl-C takes nothing back.", file=sys.stderr, flush=True
                )
        if "cancelled" not in answer:
            raise NoWorkerError(
                "The worker has ended before it answered. What became of the job, its log says."
            )
        if settings.as_json:
            print_json(answer)
        else:
            _print(answer)
        return DONE if answer["cancelled"] else NO

    return run_request(PROGRAM, settings, ask)


def _waiting(answer: dict[str, Any]) -> str:
    if answer["waits_for"] in ("running", "cancelling"):
        return f"The job has {answer['grace_seconds']:g} s to clean up, and is killed then."
    return f"The job's end is under way ({printable(answer['waits_for'])})."


def _print(answer: dict[str, Any]) -> None:
    first = printable(answer["message"].partition("\n")[0])
    if answer["cancelled"]:
        print(f"cancelled: {first}")
    else:
        print(
            f"{PROGRAM}: Not cancelled: the job has ended otherwise ({answer['outcome']}, {answer['cause']}). {first}",
            file=sys.stderr,
        )
