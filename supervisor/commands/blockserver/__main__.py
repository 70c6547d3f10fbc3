"""`python -m supervisor.commands.blockserver`: started by the pytest harness, not by people."""

import os
import sys
import tempfile

from supervisor.keeper import keep


def main() -> int:
    """Serve the parent process over stdin and stdout. Exit code 0 if it has closed stdin or ended."""
    caller = os.pidfd_open(os.getppid())
    # The keeper too does what comes after `keep`: the directory is removed even if the server is killed.
    with tempfile.TemporaryDirectory(prefix="neops-blocks-", ignore_cleanup_errors=True) as directory:
        return keep(lambda: _serve(caller, directory))


def _serve(caller: int, directory: str) -> int:
    # Not at the top: the keeper must stay small.
    import asyncio

    from supervisor.commands.blockserver.server import serve_stdio

    tempfile.tempdir = directory
    # Only answers may go to the caller. Anything printed here by mistake goes to stderr.
    answers = os.dup(1)
    os.dup2(2, 1)
    asyncio.run(serve_stdio(caller, answers))
    return 0


if __name__ == "__main__":
    sys.exit(main())
