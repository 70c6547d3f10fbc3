"""`supervisor demo`."""

import asyncio
import contextlib
import signal
import sys
from typing import Final

from jobrunner.protocol.linux import KEEPER_LOST_SIGNAL
from supervisor.commands.demo.play import Demo
from supervisor.commands.demo.progress import Progress
from supervisor.commands.demo.report import Report
from supervisor.commands.demo.show import show
from supervisor.commands.shared.common import EXIT_FAILED, run_to_exit_code
from supervisor.commands.shared.console import OutputConsole
from supervisor.commands.shared.json_output import print_json
from supervisor.keeper import keep
from supervisor.settings.command_parser import CommandParser

PROGRAM: Final = "supervisor demo"
_WIDTH_OF_A_FILE: Final = 150
_ENDS_IT: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, KEEPER_LOST_SIGNAL)


def run(arguments: list[str]) -> int:
    """Run the demo; return 0 if everything was as expected, 1 if not, 128 + the signal that ended it.

    It has a keeper, like the daemon: a demo that is killed leaves nothing alive either.
    """
    options = _parser().parse_args(arguments)
    return keep(
        lambda: run_to_exit_code(PROGRAM, lambda: _run(as_json=options.json, verbose=options.verbose)),
        program=PROGRAM,
        runs_until_stopped=False,
    )


def _parser() -> CommandParser:
    parser = CommandParser(
        prog=PROGRAM,
        description="Run an engine, this worker with four slots and an emulated network device on this machine. Send "
        "the worker jobs, half of which misbehave, and show how each ends. The demo takes less than a minute, uses "
        "only the loopback, and leaves nothing behind. Exit code 0: all that could be run was as expected.",
    )
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument("--verbose", action="store_true", help="show what the programs print, on stderr")
    return parser


async def _run(*, as_json: bool, verbose: bool) -> int:
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    assert task is not None
    received: list[int] = []

    def end(number: int) -> None:
        # Only the first one: the clean-up takes a limited time, and without it processes would be left.
        if not received:
            task.cancel()
        received.append(number)

    for number in _ENDS_IT:
        loop.add_signal_handler(number, end, number)
    try:
        report = await _perform(verbose=verbose)
    except asyncio.CancelledError:
        if not received:
            raise
        task.uncancel()
        # A terminal that has hung up takes no text.
        with contextlib.suppress(OSError):
            print(f"{PROGRAM}: interrupted; everything that it had started was ended.", file=sys.stderr)
        return 128 + received[0]
    _print(report, as_json=as_json)
    return EXIT_FAILED if report.problems() else 0


async def _perform(*, verbose: bool) -> Report:
    with Progress(OutputConsole(stderr=True), verbose=verbose) as progress:
        return await Demo(progress).perform()


def _print(report: Report, *, as_json: bool) -> None:
    if as_json:
        print_json(report.as_json())
        return
    console = OutputConsole()
    show(report, console if console.is_terminal else OutputConsole(width=_WIDTH_OF_A_FILE))
