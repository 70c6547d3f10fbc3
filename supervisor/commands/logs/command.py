"""`supervisor logs ID`: asks the worker, or reads the files of ended jobs if no worker runs."""

import sys
import time
from collections.abc import Iterator
from typing import Any, Final

from pydantic import Field
from pydantic_settings import CliPositionalArg

from supervisor.commands.control.kept_jobs import open_kept_job
from supervisor.commands.control.requests import run_request
from supervisor.commands.control.settings import ControlSettings
from supervisor.commands.logs.lines import Lines, text_of
from supervisor.commands.shared.common import read_settings
from supervisor.journal.ended_jobs.files import OpenedJob
from supervisor.journal.ended_jobs.no_log import why_no_log
from supervisor.log.format import printable
from supervisor.worker.control_socket.client import ControlClient, NoWorkerError
from supervisor.worker.control_socket.exit_codes import DONE, NO

PROGRAM: Final = "supervisor logs"
AGAIN_SECONDS: Final = 0.5
"""How long to wait before it asks the worker again. The worker cuts off slow readers, or may have been restarted."""

_EPILOG: Final = """\
The log is masked, like the worker's own log. Of a long log the worker keeps the first 256 KB and the last 768 KB.
If no worker runs, the command reads the files in its state directory.
Exit code 0: the log was shown. 1: the job is known, but no log of it is kept; stderr says why. 3: there is no worker
to ask. 4: you may not ask it. 5: no such job is kept."""


class LogsSettings(ControlSettings):
    """Show the log of one job: one that runs, or one of the last that ended."""

    job_id: CliPositionalArg[str] = Field(description="The job's id, or its first characters, at least 6.")
    follow: bool = Field(default=False, description="Follow the log until the job ends. Also: -f.")


def run(arguments: list[str]) -> int:
    """Print the log. Returns 0, or see `control_socket.exit_codes`."""
    words = ["--follow" if word == "-f" else word for word in arguments]
    settings = read_settings(LogsSettings, words, PROGRAM, _EPILOG)
    shown = Lines()

    missing: list[str] = []

    def show(part: dict[str, Any]) -> None:
        if "no_log" in part:
            missing.append(part["no_log"])
        for text, line in shown.of(part):
            print(text if settings.as_json else text_of(line))
        sys.stdout.flush()

    def ask(client: ControlClient) -> int:
        try:
            _show_from_worker(client, settings, shown, show)
        except NoWorkerError:
            if not _show_from_files(settings, show):
                raise
        for why in missing:
            print(f"{PROGRAM}: {printable(why)}", file=sys.stderr)
        return NO if missing else DONE

    return run_request(PROGRAM, settings, ask)


def _show_from_worker(client: ControlClient, settings: LogsSettings, shown: Lines, show: Any) -> None:
    while True:
        for part in client.stream(
            "logs", job_id=settings.job_id, line=shown.next_line, follow=settings.follow
        ):
            show(part)
            if part.get("complete"):
                return
        time.sleep(AGAIN_SECONDS)


def _show_from_files(settings: LogsSettings, show: Any) -> bool:
    """Show the job's log in the state directory. Returns whether there is one. Raises `ControlError`."""
    opened = open_kept_job(PROGRAM, settings.state_dir, settings.job_id)
    if opened is None:
        return False
    try:
        show({"lines": b"".join(_pieces(opened)).decode(), "line": 0})
        if not opened.log_bytes:
            show({"lines": "", "no_log": why_no_log(opened.job.job_id, opened.job.cause)})
    finally:
        opened.close()
    return True


def _pieces(opened: OpenedJob) -> Iterator[bytes]:
    start = 0
    while piece := opened.log(start):
        yield piece
        start += len(piece)
