"""`supervisor support-bundle`: one archive for a remote helper. It also works if no worker runs."""

import re
import signal
import sys
import time
from pathlib import Path
from typing import Final

from pydantic import Field
from pydantic_settings import CliPositionalArg

from supervisor.commands.control.requests import EXIT_INTERRUPTED, client_of
from supervisor.commands.control.settings import ControlSettings
from supervisor.commands.journal.places import find_journal
from supervisor.commands.shared.common import EXIT_FAILED, ended_as_by_ctrl_c, read_settings
from supervisor.commands.shared.json_output import print_json
from supervisor.commands.support_bundle.archive import Archive
from supervisor.commands.support_bundle.collection import collect_into
from supervisor.commands.support_bundle.contents import parts_for, readme
from supervisor.commands.support_bundle.job_meant import Worker, job_meant
from supervisor.commands.support_bundle.redaction import Redaction
from supervisor.commands.support_bundle.secrets_here import secrets_of
from supervisor.errors import SupervisorError
from supervisor.log.format import printable
from supervisor.settings.files import default_state_directory
from supervisor.worker.control_socket.client import NoWorkerError
from supervisor.worker.control_socket.exit_codes import DONE, UNKNOWN_JOB, exit_code_of
from supervisor.worker.control_socket.place import SECRET
from supervisor.worker.control_socket.protocol import ControlError

PROGRAM: Final = "supervisor support-bundle"
_ASK_SECONDS: Final = 5.0
_NOT_IN_A_NAME: Final = re.compile(r"[^A-Za-z0-9._-]+")
_EPILOG: Final = """\
The archive has: versions, settings and where each comes from, status, jobs,
the journal's claims without their contents, names and sizes in the state
directory, facts of kernel, cgroup and systemd, the last lines of the log if
journald has them, and what `doctor` finds. With a job's id it also has that
job, its log and its stack. The command masks secrets and follows no links.
README.txt in the archive says what was left out and why.

Run it as root or as the worker's user: other users see less. It takes at most
a minute.
Exit code 0: the archive is written. 1: it could not be written. 2: several jobs
have an id that begins like this. 5: it is written, but neither the worker nor
its files know the job."""


class SupportBundleSettings(ControlSettings):
    """Write one archive, without secrets, with what a helper elsewhere needs to know."""

    job_id: CliPositionalArg[str | None] = Field(default=None, description="A job that the archive is about.")
    output: Path | None = Field(
        default=None,
        description="The file to write, a new one. Default: neops-support-TIME.tar.gz in the working directory.",
    )


def run(arguments: list[str]) -> int:
    """Write the archive. Returns 0, 1 if it could not be written, 2 for several jobs, 5 for an unknown job."""
    settings = read_settings(SupportBundleSettings, arguments, PROGRAM, _EPILOG)
    path = settings.output or Path(
        f"neops-support-{time.strftime('%Y%m%d-%H%M%S')}{_suffix(settings.job_id)}.tar.gz"
    )
    try:
        # Half an archive would have the name of a whole one: if this is ended early, nothing is left.
        with ended_as_by_ctrl_c(signal.SIGTERM, signal.SIGHUP):
            left_out, job_is_unknown = _write(settings, path)
    except ControlError as error:
        print(f"{PROGRAM}: {printable(str(error))}", file=sys.stderr)
        return exit_code_of(error.cause)
    except FileExistsError:
        return _failed(f"{path} exists already. Give another name with --output.")
    except OSError as error:
        return _failed(f"{path} can't be written: {error.strerror or error}.")
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    if settings.as_json:
        print_json({"archive": str(path), "left_out": left_out})
    else:
        print(f"Written: {path}. Look through it before you give it away.")
        for each in left_out:
            print(f"  left out: {each}")
    if job_is_unknown:
        print(
            f"{PROGRAM}: Neither a worker nor its files know the job {settings.job_id}, or not any more. The archive "
            "has what is not of one job. `supervisor jobs --ended 20` lists the jobs that are known.",
            file=sys.stderr,
        )
        return UNKNOWN_JOB
    return DONE


def _write(settings: SupportBundleSettings, path: Path) -> tuple[list[str], bool]:
    """Return what was left out, and whether the job is unknown. Raises `ControlError` if several are meant."""
    worker = _worker_of(settings)
    client, state_dir, job_id, is_unknown = worker.client, worker.state_dir, settings.job_id, False
    if job_id is not None:
        meant = job_meant(worker, settings.state_dir, job_id)
        job_id, state_dir, is_unknown = meant.job_id, meant.state_dir, meant.is_unknown
    with Archive(path) as archive:
        if worker.problem:
            archive.left_out.append(f"{worker.problem} The files are those in {state_dir}.")
        secret_files = [] if client is None else [client.directory / SECRET]
        redaction = Redaction(secrets_of(secret_files, worker.pid))
        collect_into(archive, parts_for(client, worker.pid, state_dir, job_id), redaction)
        archive.add_last("README.txt", readme(archive.left_out))
        return archive.left_out, is_unknown


def _worker_of(settings: SupportBundleSettings) -> Worker:
    try:
        client = client_of(settings)
        status = client.ask("status", timeout_seconds=_ASK_SECONDS)
        told = status.get("state_dir")  # a starting worker of an earlier version does not have it
        state_dir = _state_directory(settings.state_dir) if told is None else Path(told)
        return Worker(client, int(status["pid"]), state_dir)
    except SupervisorError as error:
        problem = f"what only a running worker knows: {error}"
        directory = _state_directory(settings.state_dir)
        return Worker(None, None, directory, problem, is_absent=isinstance(error, NoWorkerError))


def _state_directory(given: Path | None) -> Path:
    try:
        return find_journal(given).path.parent
    except SupervisorError:
        return given or default_state_directory()


def _suffix(job_id: str | None) -> str:
    return "" if job_id is None else "-" + _NOT_IN_A_NAME.sub("_", job_id)[:60]


def _failed(message: str) -> int:
    print(f"{PROGRAM}: {message}", file=sys.stderr)
    return EXIT_FAILED
