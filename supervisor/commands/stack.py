"""`supervisor stack`: where a running job is, without stopping it."""

from typing import Any, Final

from pydantic import Field
from pydantic_settings import CliPositionalArg

from supervisor.commands.control.requests import run_request
from supervisor.commands.control.settings import ControlSettings
from supervisor.commands.shared.common import read_settings
from supervisor.commands.shared.json_output import print_json
from supervisor.log.format import printable
from supervisor.worker.control_socket.client import ControlClient
from supervisor.worker.control_socket.exit_codes import DONE, NO

PROGRAM: Final = "supervisor stack"
_ANSWER_SECONDS: Final = 20.0
_STATES: Final = {
    "R": "running",
    "S": "sleeping",
    "D": "waiting for a device or a disk",
    "T": "stopped",
    "t": "stopped by a debugger",
    "Z": "ended, and its parent has not asked for that",
    "I": "idle",
}
_EPILOG: Final = """\
You see every thread of the job's process, innermost call first. If its event loop waits, you see what each
task awaits. Of the job's other processes you see what the kernel shows. The job goes on. It gets a signal;
only C code that sleeps, and does not sleep again after a signal, notices it.

Exit code 0: the stack was printed. 1: the job gave none; the output says why, and what the kernel knows.
3: there is no worker to ask. 4: you may not ask it. 5: the worker has no such job."""


class StackSettings(ControlSettings):
    """Show where a running job is: every thread, and what its tasks await. The job goes on."""

    job_id: CliPositionalArg[str] = Field(
        description="The job's id, as `supervisor jobs` shows it, or its first characters, at least 6."
    )


def run(arguments: list[str]) -> int:
    """Print the stack. Returns 0, 1 if the job gave none, or see `control_socket.exit_codes`."""
    settings = read_settings(StackSettings, arguments, PROGRAM, _EPILOG)

    def show(client: ControlClient) -> int:
        answer = client.ask("stack", timeout_seconds=_ANSWER_SECONDS, job_id=settings.job_id)
        if settings.as_json:
            print_json(answer)
        else:
            print(printable(text_of(answer)))
        return DONE if answer["stack"] else NO

    return run_request(PROGRAM, settings, show)


def text_of(answer: dict[str, Any]) -> str:
    """Return an answer as text for a person."""
    head = f"{answer['block']}, job {answer['job_id']}: {answer['state']} for {answer['seconds']:.0f} s"
    head += f", process {answer['pid']}."
    if answer["stack"]:
        text = f"{head}\n\n{answer['stack']}"
    else:
        text = "\n".join(filter(None, [head, answer["why_not"], answer["kernel"]]))
    others = answer.get("processes")  # missing in answers of an earlier version
    return "\n".join([text, "\nOther processes of the job:", *map(_process_line, others)]) if others else text


def _process_line(process: dict[str, Any]) -> str:
    state = _STATES.get(process["state"], process["state"])
    return f"  {process['pid']}  {process['name']}: {state}" + (
        f" ({process['waits_in']})" if process["waits_in"] else ""
    )
