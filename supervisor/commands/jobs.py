"""`supervisor jobs`: the jobs that a running worker has."""

from typing import Any, Final

from pydantic import Field

from supervisor.commands.control.job_text import memory_text, moment_text, printable, seconds_text
from supervisor.commands.control.kept_jobs import latest_kept_jobs
from supervisor.commands.control.requests import run_request
from supervisor.commands.control.settings import ControlSettings
from supervisor.commands.shared.common import read_settings
from supervisor.commands.shared.json_output import print_json
from supervisor.worker.control_socket.client import ControlClient, NoWorkerError
from supervisor.worker.control_socket.exit_codes import DONE

PROGRAM: Final = "supervisor jobs"
_EPILOG: Final = """\
A job's state: waiting (for a slot), starting (its child is on its way),
running, cancelling (its time is over, or somebody cancelled it), ending (its
block has returned), killing, reporting (its result is stored). If the job's
event loop is stalled, the state also says for how long.

If no worker answers, --ended reads the files in its state directory. They do
not say which jobs the worker has: `jobs` is null with --json."""


class JobsSettings(ControlSettings):
    """List the jobs that a running worker has: those that run, and those that wait for a slot."""

    ended: int = Field(
        default=0, ge=0, le=1000, description="Also list this many jobs that have ended, the last one first."
    )


def run(arguments: list[str]) -> int:
    """Print the jobs. Returns 0, or see `control_socket.exit_codes`."""
    settings = read_settings(JobsSettings, arguments, PROGRAM, _EPILOG)

    def ask(client: ControlClient) -> int:
        answer = _answer(client, settings)
        if settings.as_json:
            print_json(answer)
        else:
            _print(answer, with_ended=settings.ended > 0)
        return DONE

    return run_request(PROGRAM, settings, ask)


def _answer(client: ControlClient, settings: JobsSettings) -> dict[str, Any]:
    """Return the worker's answer. If it does not answer, return ended jobs from its files, with `jobs` as `None`."""
    try:
        return client.ask("jobs", ended=settings.ended)
    except NoWorkerError:
        ended = latest_kept_jobs(PROGRAM, settings.state_dir, settings.ended) if settings.ended else []
        if not ended:
            raise
        return {"jobs": None, "ended": ended}  # a worker that hangs may still have some


def _print(answer: dict[str, Any], *, with_ended: bool) -> None:
    # Only a table needs these, and their import takes a tenth of a second.
    from supervisor.commands.shared.console import OutputConsole
    from supervisor.commands.shared.table import print_rows

    console = OutputConsole()
    is_told = answer["jobs"] is not None
    if answer["jobs"]:
        titles = ("job", "block", "state", "slot", "pid", "time", "memory", "CPU", "last line")
        rows = [_row(job) for job in answer["jobs"]]
        print_rows(console, titles, rows, right=("slot", "pid", "time", "memory", "CPU"))
    elif is_told:
        console.print("The worker has no jobs.")
    if with_ended and answer["ended"]:
        console.print("\nEnded:" if is_told else "Ended:")
        rows = [_ended_row(job) for job in answer["ended"]]
        print_rows(console, ("job", "block", "ended", "time", "cause"), rows, right=("time",))


def _ended_row(job: dict[str, Any]) -> tuple[str, ...]:
    ended = job.get("ended_at")  # missing in answers of an earlier version
    return (
        printable(job["job_id"]),
        printable(job["block"]),
        "" if ended is None else moment_text(ended),
        seconds_text(job["seconds"]),
        job["cause"],
    )


def _row(job: dict[str, Any]) -> tuple[str, ...]:
    stalled = job["stalled_seconds"]
    return (
        printable(job["job_id"]),
        printable(job["block"]),
        f"{job['state']}, stalled {seconds_text(stalled)}" if stalled else job["state"],
        printable(job["slot"]),
        printable(job["pid"]),
        seconds_text(job["seconds"]),
        memory_text(job["memory_bytes"]),
        seconds_text(job["cpu_seconds"]),
        printable(job["last_line"]),
    )
