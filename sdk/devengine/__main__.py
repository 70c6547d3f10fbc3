"""`python -m sdk.devengine`: run the embedded engine until SIGTERM or SIGINT."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from sdk.devengine.engine import DevEngine
from sdk.devengine.errors import DevEngineError
from sdk.devengine.options import EngineOptions

DEFAULT_PORT = 3030
DEFAULT_DATABASE = "./devengine.sqlite3"
DEFAULT_TOKEN_FILE = Path("./devengine.token")


def parser() -> argparse.ArgumentParser:
    """Return the command line; the defaults of the thresholds are the real engine's."""
    defaults = EngineOptions()
    result = argparse.ArgumentParser(
        prog="python -m sdk.devengine",
        description="The embedded neops engine, for development: loopback only, jobs by POST /dev/jobs.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        # No abbreviation may turn on an option that opens the engine to others.
        allow_abbrev=False,
    )
    add = result.add_argument
    add("--host", default=defaults.host, help="loopback address to listen on")
    add("--port", type=int, default=DEFAULT_PORT, help="port to listen on; 0 takes a free one")
    add("--database", default=DEFAULT_DATABASE, help="SQLite file of jobs and workers, or :memory:")
    access = result.add_mutually_exclusive_group()
    access.add_argument(
        "--token-file",
        type=Path,
        default=DEFAULT_TOKEN_FILE,
        help="where the token of this start is written, for this user alone; every request but /health needs it",
    )
    access.add_argument(
        "--without-token",
        action="store_true",
        help="answer without a token, so that every user of this machine can read the passwords of jobs: only for "
        "tests of the contract, and for the worker of neops_worker_sdk, which can't send one",
    )
    for name, what in {
        "unreachable": "a worker that has not pinged for so long gets no new jobs",
        "offline": "a worker that has not pinged for so long loses its jobs",
        "stuck": "a job that was claimed so long ago is failed",
        "check_interval": "how often workers and jobs are checked",
        "delete": "a worker that has been offline for so long is deleted",
    }.items():
        flag = f"--{name.replace('_', '-')}-seconds"
        add(flag, type=float, default=getattr(defaults, f"{name}_seconds"), help=what)
    add("--max-attempts", type=int, default=defaults.max_attempts, help="tries of a pure or idempotent block")
    add("--id-grammar", choices=("0.42", "0.43"), default=defaults.id_grammar, help="client generation")
    add("--schemas-may-change", action="store_true", help="take a block again whatever became of its models")
    add("--test-controls", action="store_true", help="serve /dev/faults and /dev/requests")
    return result


async def serve(options: EngineOptions) -> None:
    """Run an engine until a signal ends it. A second signal changes nothing: the engine is already about to end."""
    loop = asyncio.get_running_loop()
    asked = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked.set)
    async with DevEngine(options) as engine:
        # Flushed at once, because a parent reads the port from this line.
        print(f"devengine listening on {engine.url}", flush=True)
        await asked.wait()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return 0 after a signal, 2 if the engine could not start."""
    given = vars(parser().parse_args(arguments))
    if given["without_token"]:
        given["token_file"] = None
    try:
        options = EngineOptions(**given, record_requests=given["test_controls"])
        asyncio.run(serve(options))
    except DevEngineError as error:
        print(f"devengine: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
