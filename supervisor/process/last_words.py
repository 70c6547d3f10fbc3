"""What is said when there is no log any more, or none yet."""

import contextlib
import os
import select

_STDERR = 2


def say_now(text: str) -> None:
    """Write a line to stderr if that takes it at once; else, and when nobody can read it, it is not said.

    A pipe that nobody empties or a terminal that was stopped must not hold up an end.
    """
    poll = select.poll()
    poll.register(_STDERR, select.POLLOUT)
    with contextlib.suppress(OSError):
        if any(event & select.POLLOUT for _, event in poll.poll(0)):
            # pipe(7): a pipe that can be written to takes PIPE_BUF bytes without waiting.
            os.write(_STDERR, f"{text}\n".encode(errors="backslashreplace")[: select.PIPE_BUF])
