"""`python -m supervisor.commands.shared.parent_death PARENT MODULE ARGUMENT...`: become `python -m MODULE`.

The kernel kills this program when its parent ends, for any reason: also if parent and keeper are both killed, and
nobody is left to do it. This asks the kernel before the program begins; an exec keeps it (PR_SET_PDEATHSIG, prctl(2)).
"""

import os
import signal
import sys

from jobrunner.protocol import linux


def main() -> None:
    """Tie this process to its parent, and become the program."""
    parent, *words = sys.argv[1:]
    linux.die_with_parent()
    if os.getppid() != int(parent):  # the parent has ended before the kernel was asked
        os.kill(os.getpid(), signal.SIGKILL)
    os.execv(sys.executable, [sys.executable, "-m", *words])  # noqa: S606  # no shell is wanted


if __name__ == "__main__":
    main()
