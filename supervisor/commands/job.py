"""`supervisor job ID`: all that a running worker knows of one job."""

from typing import Any, Final

from pydantic import Field
from pydantic_settings import CliPositionalArg

from supervisor.commands.control.job_text import details_text
from supervisor.commands.control.kept_jobs import kept_job
from supervisor.commands.control.requests import run_request
from supervisor.commands.control.settings import ControlSettings
from supervisor.commands.shared.common import read_settings
from supervisor.commands.shared.json_output import print_json
from supervisor.worker.control_socket.client import ControlClient, NoWorkerError
from supervisor.worker.control_socket.exit_codes import DONE

PROGRAM: Final = "supervisor job"
_EPILOG: Final = """\
If no worker runs, the command reads the files of ended jobs in its state
directory.
Exit code 2: several jobs have an id that begins like this. 3: there is no
worker to ask, and nothing is kept. 5: the worker does not know this job, or
does not keep it any more (--keep-jobs)."""


class JobSettings(ControlSettings):
    """Show one job of a running worker: what it does and uses, or how it ended."""

    job_id: CliPositionalArg[str] = Field(
        description="The job's id, as `supervisor jobs` and the log show it, or its first characters, at least 6."
    )


def run(arguments: list[str]) -> int:
    """Print the job. Returns 0, 5 if it is not known, or see `control_socket.exit_codes`."""
    settings = read_settings(JobSettings, arguments, PROGRAM, _EPILOG)

    def ask(client: ControlClient) -> int:
        job = _job_of(client, settings)
        if settings.as_json:
            print_json(job)
            return DONE
        print(details_text(job))
        return DONE

    return run_request(PROGRAM, settings, ask)


def _job_of(client: ControlClient, settings: JobSettings) -> dict[str, Any]:
    try:
        return dict(client.ask("job", job_id=settings.job_id)["job"])
    except NoWorkerError:
        job = kept_job(PROGRAM, settings.state_dir, settings.job_id)
        if job is None:
            raise
        return job
