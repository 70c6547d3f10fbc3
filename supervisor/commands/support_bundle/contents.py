"""The parts of the archive, and its README."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from supervisor.commands.support_bundle import ended_jobs, machine, state_files
from supervisor.commands.support_bundle.collection import LeftOutError, NotOfThisCaseError, Part
from supervisor.commands.support_bundle.settings_here import settings_here
from supervisor.commands.support_bundle.worker import asked, doctor_part, log_asked, systemd_parts
from supervisor.worker.control_socket.client import ControlClient

NEVER: Final = (
    "Parameters, context and results of jobs, and what the journal holds of them.",
    "Environments and command lines of processes, and the content of files for tokens and keys.",
    "Host keys of devices; source code of blocks.",
)
"""Nothing of this is in any archive."""

_README: Final = """\
Made by `supervisor support-bundle`. Secrets that this machine knows, what stands behind words such as `password`,
and secrets in configurations of devices in their usual statements are replaced by ***. Look through it before you
give it away: it names jobs, blocks, hosts and users, and has what blocks have printed.

Never in it:
{never}

Left out this time:
{left_out}
"""


def parts_for(
    client: ControlClient | None, pid: int | None, state_dir: Path, job_id: str | None
) -> list[Part]:
    """Return all parts, the most important first. `pid` is the worker's, `None` if no worker answers."""
    parts = [
        Part("versions.json", machine.versions),
        Part("status.json", _of_worker(client, "status")),
        Part("jobs.json", _of_worker(client, "jobs")),
        Part("settings-of-the-worker.json", _of_worker(client, "config")),
        Part("settings-here.json", settings_here),
        Part("journal.json", partial(state_files.journal, state_dir)),
        Part("ended-jobs.json", partial(ended_jobs.latest, state_dir)),
        Part("state-directory.json", partial(state_files.listing, state_dir)),
    ]
    if job_id is not None:
        parts += _parts_of_job(client, state_dir, job_id)
    parts += [
        Part("kernel.json", machine.kernel),
        Part("process-worker.json", _process(pid)),
        Part("process-here.json", machine.own_limits),
        *systemd_parts(pid, state_dir),
        doctor_part(["--state-dir", str(state_dir)]),
    ]
    return parts


def _parts_of_job(client: ControlClient | None, state_dir: Path, job_id: str) -> list[Part]:
    """Return the parts about one job: the worker reports a running job, the files have an ended one."""
    of_worker = _of_worker(client, "job", job_id=job_id)

    def of_files(read: Callable[[Path, str], Any]) -> Callable[[], Any]:
        return partial(_of_ended_job, of_worker, partial(read, state_dir, job_id))

    return [
        Part("job/job.json", of_worker),
        Part("job/stack.json", _of_worker(client, "stack", job_id=job_id)),
        Part("job/log.json", _missing if client is None else log_asked(client, job_id)),
        Part("job/ended.json", of_files(ended_jobs.of_job)),
        Part("job/ended-log.jsonl", of_files(ended_jobs.log_of_job)),
    ]


def _of_ended_job(of_worker: Callable[[], Any], read: Callable[[], Any]) -> Any:
    """Return the end in the files. Raises `NotOfThisCaseError` if there is none because the job runs."""
    try:
        return read()
    except LeftOutError as error:
        if _runs(of_worker):
            raise NotOfThisCaseError(str(error)) from None
        raise


def _runs(of_worker: Callable[[], Any]) -> bool:
    try:
        return bool(of_worker()["job"]["state"] != "ended")
    except LeftOutError:
        return False


def _of_worker(client: ControlClient | None, command: str, **arguments: Any) -> Any:
    return _missing if client is None else asked(client, command, **arguments)


def _missing() -> Any:
    raise LeftOutError("No worker answers.")


def _process(pid: int | None) -> Any:
    return _missing if pid is None else partial(machine.process, pid)


def readme(left_out: Sequence[str]) -> str:
    """Return the archive's text about itself."""
    never = "\n".join(f"- {each}" for each in NEVER)
    return _README.format(never=never, left_out="\n".join(f"- {each}" for each in left_out) or "- nothing")
