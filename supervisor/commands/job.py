"""`supervisor job ID`: all that a running worker knows of one job."""

from typing import Final

from pydantic import Field
from pydantic_settings import CliPositionalArg

from supervisor.commands.control.asking import print_json, run_asking
from supervisor.commands.control.job_text import details_of
from supervisor.commands.control.settings import ControlSettings
from supervisor.commands.shared.common import read_settings
from supervisor.control.client import ControlClient
from supervisor.control.exit_codes import DONE

PROGRAM: Final = "supervisor job"
_EPILOG: Final = "Exit code 5: the worker does not know this job, or not any more (--keep-jobs)."


class JobSettings(ControlSettings):
    """Show one job of a running worker: what it does and takes, or how it ended."""

    job_id: CliPositionalArg[str] = Field(
        description="The job's id, as `supervisor jobs` and the log have it."
    )


def run(arguments: list[str]) -> int:
    """Print the job. Returns 0, 5 where it is not known, or see `supervisor.control.exit_codes`."""
    settings = read_settings(JobSettings, arguments, PROGRAM, _EPILOG)

    def ask(client: ControlClient) -> int:
        job = client.ask("job", job_id=settings.job_id)["job"]
        if settings.as_json:
            print_json(job)
            return DONE
        details = details_of(job)
        width = max(len(name) for name, _ in details)
        for name, text in details:
            print(f"{name:{width}}  {text}")
        return DONE

    return run_asking(PROGRAM, settings, ask)
