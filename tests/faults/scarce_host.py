"""`python -m tests.faults.scarce_host --switch FILE -- FLAGS`: the supervisor on a machine that runs out of something.

While FILE exists, the calls that it names fail. Each line is a call and the number of the error, such as `pipe 24`.
Each failure leaves a line in `FILE.hits`.
"""

import _posixsubprocess
import os
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from supervisor.cli import main
from supervisor.lifecycle import capacity
from tests.patience import PATIENCE_SECONDS

CALLS: Final[dict[str, tuple[Any, str]]] = {
    "socketpair": (socket, "socketpair"),
    "pipe": (os, "pipe"),
    "memfd": (os, "memfd_create"),
    "pidfd": (os, "pidfd_open"),
    "process": (_posixsubprocess, "fork_exec"),
    "thread": (threading.Thread, "start"),
}


def _error_of(call: str, switch: Path) -> int | None:
    try:
        lines = [line.split() for line in switch.read_text().splitlines()]
    except OSError:
        return None
    return next((int(number) for name, number in lines if name == call), None)


def _failing(call: str, real: Callable[..., Any], switch: Path) -> Callable[..., Any]:
    def perhaps(*arguments: Any, **options: Any) -> Any:
        number = _error_of(call, switch)
        if number is None:
            return real(*arguments, **options)
        with open(f"{switch}.hits", "a") as hits:
            hits.write(f"{call}\n")
        if call == "thread":
            raise RuntimeError("can't start new thread")
        raise OSError(number, os.strerror(number))

    return perhaps


def run(arguments: list[str]) -> int:
    """Set the faults and run the daemon with the flags behind `--`."""
    own, flags = arguments[: arguments.index("--")], arguments[arguments.index("--") + 1 :]
    given = dict(zip(own[::2], own[1::2], strict=True))
    # A test lets a start fail several times before it mends the machine: on a slow one, each takes seconds.
    capacity.GIVE_BACK_SECONDS = PATIENCE_SECONDS  # type: ignore[misc]
    for call, (owner, name) in CALLS.items():
        setattr(owner, name, _failing(call, getattr(owner, name), Path(given["--switch"])))
    return main(flags)


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
