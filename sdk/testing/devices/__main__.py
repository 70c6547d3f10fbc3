"""Run one emulated device until it is interrupted: `python -m sdk.testing.devices --username u`.

The password is the first line of the standard input, or it is asked for on a terminal. It is no option, because every
user of the machine can read a command line.
"""

import argparse
import asyncio
import getpass
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from sdk.testing.devices import EmulatedIos


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m sdk.testing.devices",
        description="Serve one emulated IOS device on 127.0.0.1 until SIGINT or SIGTERM. "
        "The password is the first line of the standard input.",
    )
    parser.add_argument("--port", type=int, default=0, help="TCP port; 0 (the default) takes a free one")
    parser.add_argument("--username", required=True, help="the account that may log in")
    parser.add_argument("--hostname", default="lab1", help="the name in the prompt (default: %(default)s)")
    parser.add_argument("--authorized-key", type=Path, help="a file with a public key that may log in, too")
    parser.add_argument("--forwards", action="store_true", help="forward connections, as a jump host does")
    return parser.parse_args(arguments)


def _read_password() -> str:
    if sys.stdin.isatty():
        return getpass.getpass("Password of the emulated device: ")
    return sys.stdin.readline().rstrip("\r\n")


async def _serve(options: argparse.Namespace, password: str, authorized_key: str | None) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with EmulatedIos(
        options.username,
        password,
        options.hostname,
        port=options.port,
        authorized_key=authorized_key,
        forwards=options.forwards,
    ) as device:
        print(f"emulated IOS listening on {device.host}:{device.port}", flush=True)
        await stop.wait()


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until a signal comes; return the exit code (0 after a signal, 1 if the port is not free)."""
    options = _parse(arguments)
    password = _read_password()
    if not password:
        print("No password on the standard input: give it as its first line.", file=sys.stderr)
        return 2
    try:
        key = options.authorized_key.read_text() if options.authorized_key else None
    except OSError as error:
        print(f"Can't read {options.authorized_key}: {error.strerror}.", file=sys.stderr)
        return 2
    try:
        asyncio.run(_serve(options, password, key))
    except OSError as error:
        where = f"127.0.0.1:{options.port}"
        print(f"Can't listen on {where}: {error.strerror}. Choose another --port.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
