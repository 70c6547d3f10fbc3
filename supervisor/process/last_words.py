"""Messages for when there is no log any more, or none yet."""

import contextlib
import os
import select

_STDERR = 2


def say_now(text: str) -> None:
    """Write a line to stderr if it can be written at once; otherwise, and if nobody can read it, drop it.

    A pipe that nobody empties, or a stopped terminal, must not hold up an end.
    """
    poll = select.poll()
    poll.register(_STDERR, select.POLLOUT)
    with contextlib.suppress(OSError):
        if any(event & select.POLLOUT for _, event in poll.poll(0)):
            # pipe(7): a writable pipe takes PIPE_BUF bytes without waiting.
            os.write(_STDERR, f"{text}\n".encode(errors="backslashreplace")[: select.PIPE_BUF])
