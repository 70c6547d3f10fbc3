"""`python -m supervisor.blockserver`: started by the pytest harness, not by people."""

import os
import sys

from supervisor.keeper import keep


def main() -> int:
    """Serve the parent process over stdin and stdout. Exit code 0 when it has closed stdin or ended."""
    caller = os.pidfd_open(os.getppid())

    def run() -> int:
        import asyncio

        from supervisor.blockserver.server import serve_stdio

        # Only answers may go to the caller. What anything prints here by mistake goes where errors go.
        answers = os.dup(1)
        os.dup2(2, 1)
        asyncio.run(serve_stdio(caller, answers))
        return 0

    return keep(run)


if __name__ == "__main__":
    sys.exit(main())
