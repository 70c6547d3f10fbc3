"""`python -m tests.programs.isolation.simulated_worker ABI SECCOMP FLAGS`: the worker, on a kernel that can do less.

It is started in a session keyring with a key in it, and its user has that key too.
"""

import ctypes
import sys
from typing import Final

from supervisor.cli import main
from tests.programs.isolation.isolation_blocks.calls import call
from tests.programs.isolation.isolation_blocks.surroundings import KEY

_JOIN, _SET_TIMEOUT = 1, 15
_SESSION, _USER = -3, -4
_KEY_SECONDS: Final = 120


def lay_keys() -> None:
    """Put a key into a session keyring of this process's own, and into its user's. Raises `OSError`."""
    call("keyctl", _JOIN, 0, 0, 0, 0)
    for keyring in (_SESSION, _USER):
        ticket = ctypes.create_string_buffer(b"ticket", 6)
        key = call("add_key", b"user", KEY, ticket, 6, keyring)
        call("keyctl", _SET_TIMEOUT, key, _KEY_SECONDS)


def run(arguments: list[str]) -> int:
    """Run the worker with the flags behind the two numbers."""
    abi, seccomp, *flags = arguments
    try:
        lay_keys()
    except OSError as error:
        print(f"no keys: {error}", file=sys.stderr)
    assert (abi, seccomp) == ("7", "1"), "nothing else can be simulated yet"
    return main(flags)


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
