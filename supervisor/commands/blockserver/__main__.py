"""`python -m supervisor.commands.blockserver`: started by the pytest harness, not by people."""

import os
import sys
import tempfile

from supervisor.keeper import keep


def main() -> int:
    """Serve the parent process over stdin and stdout. Exit code 0 when it has closed stdin or ended."""
    caller = os.pidfd_open(os.getppid())
    # What follows `keep` is done by the keeper as well: the directory goes even if the server is killed.
    with tempfile.TemporaryDirectory(prefix="neops-blocks-", ignore_cleanup_errors=True) as directory:
        return keep(lambda: _serve(caller, directory))


def _serve(caller: int, directory: str) -> int:
    # Not at the top: the keeper stays as small as it is.
    import asyncio

    from supervisor.commands.blockserver.server import serve_stdio

    tempfile.tempdir = directory
    # Only answers may go to the caller. What anything prints here by mistake goes where errors go.
    answers = os.dup(1)
    os.dup2(2, 1)
    asyncio.run(serve_stdio(caller, answers))
    return 0


if __name__ == "__main__":
    sys.exit(main())
