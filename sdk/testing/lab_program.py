"""Holds a lab for people until SIGTERM or SIGINT: `python -m sdk.testing.lab_program frr DIRECTORY`.

`supervisor lab up` starts it. It writes what a person needs to reach the devices into DIRECTORY, which only its owner
can read: `context.json`, the context of a job on them, and `passwords`, a line with device, account
and password for each. It holds a lock on `holder`, a file with its pid,
for as long as it runs. When the lab is there, it prints one line of JSON about it, without the password.
It ends when its lab ends, so nobody takes dead routers for running ones.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from sdk.testing.errors import HarnessError

HOLDER: Final = "holder"
CONTEXT: Final = "context.json"
PASSWORDS: Final = "passwords"  # the name of the file
_FILES: Final = (CONTEXT, PASSWORDS, HOLDER)


def main(arguments: Sequence[str] | None = None) -> int:
    """Hold the lab; return 0 after a signal, 1 if it can't start or has ended, with the reason on stderr."""
    parser = argparse.ArgumentParser(prog="python -m sdk.testing.lab_program", description=__doc__)
    parser.add_argument("lab", choices=("frr", "iol"))
    parser.add_argument("directory", type=Path)
    options = parser.parse_args(arguments)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)
    try:
        _hold(options.lab, options.directory)
    except (HarnessError, ImportError, OSError) as error:
        with contextlib.suppress(BrokenPipeError):  # its parent stops reading when the lab is there
            print(error, file=sys.stderr)
        return 1
    return 0


def _end(*_: object) -> None:
    """Leave whatever runs, even the start, through its clean-up. A second signal does not cut the clean-up short."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    raise SystemExit(0)


def _hold(lab: str, directory: Path) -> None:
    directory.mkdir(mode=0o700, exist_ok=True)
    with _only_one(directory), _started(lab) as (devices, wait):
        entities = [_with_port(device) for device in devices]
        _write(directory / CONTEXT, json.dumps({"devices": entities}, indent=2) + "\n")
        _write(directory / PASSWORDS, "".join(map(_account, devices)))
        shown = [
            {
                "hostname": device.hostname,
                "host": device.host,
                "port": device.port,
                "username": device.username,
            }
            for device in devices
        ]
        print(json.dumps({"lab": lab, "devices": shown}), flush=True)
        wait()
        raise HarnessError(f"The lab {lab} has ended by itself.", kind="no_lab")


def _account(device: Any) -> str:
    return f"{device.hostname} {device.username} {device.password}\n"


@contextlib.contextmanager
def _only_one(directory: Path) -> Iterator[None]:
    """Hold the lock, and remove the files at the end. Raises `OSError` if another process holds it."""
    with open(os.open(directory / HOLDER, os.O_RDWR | os.O_CREAT, 0o600), "r+") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise HarnessError(f"Another process holds a lab in {directory}.", kind="no_lab") from None
        held.truncate()
        held.write(f"{os.getpid()}\n")
        held.flush()
        try:
            yield
        finally:
            for name in _FILES:
                with contextlib.suppress(OSError):
                    (directory / name).unlink()


@contextlib.contextmanager
def _started(lab: str) -> Iterator[tuple[Sequence[Any], Callable[[], None]]]:
    """Start the lab. Yield its devices, and a function that waits until it has ended by itself."""
    if lab == "frr":
        from sdk.testing.frr_lab import FrrLab

        routers = FrrLab()
        with routers as devices:
            yield devices, routers.wait
        return
    from sdk.testing.devices import EmulatedLab

    # It runs in threads of this process: it ends with the process, and not before.
    with EmulatedLab.simple_iol() as emulated:
        yield emulated, _wait_for_a_signal


def _wait_for_a_signal() -> None:
    while True:
        signal.pause()


def _with_port(device: Any) -> dict[str, Any]:
    entity: dict[str, Any] = device.to_neops_device()
    entity.setdefault("connectionOptions", json.dumps({"port": device.port}))
    return entity


def _write(path: Path, text: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        path.unlink()  # even if somebody has it open
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)


if __name__ == "__main__":
    sys.exit(main())
