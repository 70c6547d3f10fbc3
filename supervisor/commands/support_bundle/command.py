"""`supervisor support-bundle`: one archive for who helps from afar. Works also where no worker runs."""

import re
import sys
import time
from pathlib import Path
from typing import Final

from pydantic import Field
from pydantic_settings import CliPositionalArg

from supervisor.commands.control.asking import EXIT_INTERRUPTED, client_of
from supervisor.commands.control.settings import ControlSettings
from supervisor.commands.journal.places import find_journal
from supervisor.commands.shared.common import EXIT_FAILED, read_settings
from supervisor.commands.shared.json_output import print_json
from supervisor.commands.support_bundle.archive import Archive
from supervisor.commands.support_bundle.collecting import collect_into
from supervisor.commands.support_bundle.contents import parts_for, readme
from supervisor.commands.support_bundle.redaction import Redaction
from supervisor.commands.support_bundle.secrets_here import secrets_of
from supervisor.errors import SupervisorError
from supervisor.settings.files import default_state_directory
from supervisor.worker.control_socket.client import ControlClient
from supervisor.worker.control_socket.exit_codes import DONE, UNKNOWN_JOB, exit_code_of
from supervisor.worker.control_socket.place import SECRET
from supervisor.worker.control_socket.protocol import ControlError

PROGRAM: Final = "supervisor support-bundle"
_ASK_SECONDS: Final = 5.0
_NOT_IN_A_NAME: Final = re.compile(r"[^A-Za-z0-9._-]+")
_EPILOG: Final = """\
In it: versions, settings and where each comes from, status, jobs, the
journal's claims without what they hold, names and sizes in the state
directory, facts of kernel, cgroup and systemd, the last lines of the log where
journald has them, what `doctor` finds; with a job's id also that job, its log
and its stack. Secrets are masked, links are not followed, and README.txt in it
says what was left out and why.

Run it as root or as the worker's user: others see less. It takes at most a
minute.
Exit code 0: the archive is written. 1: it could not be. 5: it is written, but
the worker does not know the job."""


class SupportBundleSettings(ControlSettings):
    """Write one archive, without secrets, with what somebody needs to know who helps from afar."""

    job_id: CliPositionalArg[str | None] = Field(default=None, description="A job that it is about.")
    output: Path | None = Field(
        default=None,
        description="The file to write, a new one. Default: neops-support-TIME.tar.gz in the working directory.",
    )


def run(arguments: list[str]) -> int:
    """Write the archive. Returns 0, 1 when it could not be written, or 5 when the worker does not know the job."""
    settings = read_settings(SupportBundleSettings, arguments, PROGRAM, _EPILOG)
    path = settings.output or Path(
        f"neops-support-{time.strftime('%Y%m%d-%H%M%S')}{_suffix(settings.job_id)}.tar.gz"
    )
    try:
        left_out, job_is_unknown = _write(settings, path)
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
            f"{PROGRAM}: The worker does not know the job {settings.job_id}, or not any more. The archive has what is "
            "not of one job. `supervisor jobs` lists those that run.",
            file=sys.stderr,
        )
        return UNKNOWN_JOB
    return DONE


def _write(settings: SupportBundleSettings, path: Path) -> tuple[list[str], bool]:
    """Return what was left out, and whether a worker says that it does not know the job."""
    with Archive(path) as archive:
        client, pid, state_dir, problem = _worker_of(settings)
        if problem:
            archive.left_out.append(problem)
        secret_files = [] if client is None else [client.directory / SECRET]
        redaction = Redaction(secrets_of(secret_files, pid))
        collect_into(archive, parts_for(client, pid, state_dir, settings.job_id), redaction)
        archive.add_last("README.txt", readme(archive.left_out))
        return archive.left_out, _is_unknown(client, settings.job_id)


def _is_unknown(client: ControlClient | None, job_id: str | None) -> bool:
    if client is None or job_id is None:
        return False
    try:
        client.ask("job", timeout_seconds=_ASK_SECONDS, job_id=job_id)
    except ControlError as error:
        return exit_code_of(error.cause) == UNKNOWN_JOB
    except SupervisorError:
        return False
    return False


def _worker_of(settings: SupportBundleSettings) -> tuple[ControlClient | None, int | None, Path, str]:
    """Return who can be asked, the worker's pid, its state directory, and why nobody can be asked."""
    try:
        client = client_of(settings)
        status = client.ask("status", timeout_seconds=_ASK_SECONDS)
        return client, int(status["pid"]), Path(status["state_dir"]), ""
    except SupervisorError as error:
        directory = _state_directory(settings.state_dir)
        problem = f"what only a running worker knows: {error} The files are those in {directory}."
        return None, None, directory, problem


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
