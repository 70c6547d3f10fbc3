"""`python -m tests.programs.isolation.simulated_worker ABI SECCOMP FLAGS`: the worker, on a kernel that can do less.

It is started in a session keyring with a key in it, and its user has that key too.
"""

import ctypes
import sys
from dataclasses import replace
from typing import Final

from supervisor.cli import main
from supervisor.process import kernel_isolation
from supervisor.worker import offered_blocks
from supervisor.worker.isolation import isolation_of
from tests.programs.isolation.isolation_blocks.calls import call
from tests.programs.isolation.isolation_blocks.surroundings import KEY

_JOIN, _LINK, _SET_TIMEOUT = 1, 8, 15
_PROCESS, _SESSION, _USER = -2, -3, -4
_KEY_SECONDS: Final = 120
_ABI_WITH_SIGNALS: Final = 6


def lay_keys() -> None:
    """Put a key into a session keyring of this process's own, and into its user's. Raises `OSError`."""
    call("keyctl", _JOIN, 0, 0, 0, 0)
    call("keyctl", _LINK, _USER, _PROCESS)  # else its keys' time can't be set
    for keyring in (_SESSION, _USER):
        ticket = ctypes.create_string_buffer(b"ticket", 6)
        key = call("add_key", b"user", KEY, ticket, 6, keyring)
        call("keyctl", _SET_TIMEOUT, key, _KEY_SECONDS)


def offer_less(abi: int, seccomp: bool) -> None:
    """Have this worker find out no more about its kernel than this."""
    found = kernel_isolation.detect()
    less = replace(found, landlock_abi=min(found.landlock_abi, abi), seccomp=found.seccomp and seccomp)
    kernel_isolation.detect = lambda *_: less
    if less.landlock_abi < _ABI_WITH_SIGNALS:
        # What every child has, whatever the setting is, can't be found out by a worker: the child asks the kernel.
        offered_blocks.isolation_of = lambda *asked: replace(isolation_of(*asked), contain_signals=False)


def run(arguments: list[str]) -> int:
    """Run the worker with the flags behind the two numbers."""
    abi, seccomp, *flags = arguments
    try:
        lay_keys()
    except OSError as error:
        print(f"no keys: {error}", file=sys.stderr)
    offer_less(int(abi), seccomp == "1")
    return main(flags)


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
