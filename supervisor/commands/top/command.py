"""`supervisor top`: what a running worker does now, redrawn each second; as text or JSON if it is not on a terminal."""

import os
import sys
import time
from datetime import UTC, datetime
from typing import Any, Final

from pydantic import Field

from supervisor.commands.control.requests import run_request
from supervisor.commands.control.settings import ControlSettings
from supervisor.commands.shared.common import read_settings
from supervisor.commands.shared.console import OutputConsole
from supervisor.commands.shared.json_output import print_json
from supervisor.commands.top.picture import plain_lines
from supervisor.commands.top.rates import CpuShares
from supervisor.commands.top.screen import show_live
from supervisor.commands.top.snapshot import Snapshot, snapshot_of
from supervisor.log.format import iso_time
from supervisor.worker.control_socket.client import ControlClient
from supervisor.worker.control_socket.exit_codes import DONE

PROGRAM: Final = "supervisor top"
_ANSWER_SECONDS: Final = 5.0
_EPILOG: Final = """\
On a terminal, Ctrl-C ends it with exit code 0. If the terminal is too narrow,
it leaves columns out, the least important ones first. Elsewhere, it prints the
same as plain text, again and again, and Ctrl-C gives exit code 130. The column
CPU shows percent of one processor. Until that is known, it shows the seconds
that the job has used in all. NO_COLOR=1 turns colours off.

Exit code 3: there is no worker to ask. 4: you may not ask it."""


class TopSettings(ControlSettings):
    """Show what a running worker does: slots, jobs, memory, processor time, stalls, last lines."""

    once: bool = Field(default=False, description="Show it once, as plain text, and end.")
    seconds: float = Field(default=1.0, ge=0.2, le=3600, description="How long to wait between two looks.")


def run(arguments: list[str]) -> int:
    """Show the worker until Ctrl-C, or once. Returns 0, 130 or see `control_socket.exit_codes`."""
    settings = read_settings(TopSettings, arguments, PROGRAM, _EPILOG)
    console = OutputConsole()
    is_live = console.is_terminal and not (settings.once or settings.as_json or console.is_dumb_terminal)

    def show(client: ControlClient) -> int:
        if not is_live:
            return _print_again(client, settings)
        try:
            show_live(console, lambda: snapshot_of(_answer(client)), _clock, settings.seconds)
        except KeyboardInterrupt:  # this is how a person ends it
            return DONE

    return run_request(PROGRAM, settings, show)


def _print_again(client: ControlClient, settings: TopSettings) -> int:
    shares = CpuShares()
    width = None if not sys.stdout.isatty() and "COLUMNS" not in os.environ else OutputConsole().width
    while True:
        answer = _answer(client)
        if settings.as_json:
            print_json({"time": iso_time(datetime.now(UTC)), **answer}, indent=None)
        else:
            _print(snapshot_of(answer), shares, width, end="" if settings.once else "\n")
        sys.stdout.flush()
        if settings.once:
            return DONE
        time.sleep(settings.seconds)


def _print(snapshot: Snapshot, shares: CpuShares, width: int | None, end: str) -> None:
    shares.add(time.monotonic(), snapshot)
    print("\n".join(plain_lines(snapshot, shares.share_of, _clock(), width)) + f"\n{end}", end="")


def _answer(client: ControlClient) -> dict[str, Any]:
    return client.ask("top", timeout_seconds=_ANSWER_SECONDS)


def _clock() -> str:
    return time.strftime("%H:%M:%S")
