"""The middle process: it makes a session, forks a child into it, announces it, and ends.

So the child is in a separate session that it does not lead: a terminal that it opens does not become its controlling
terminal, and the end of that terminal does not end the child by SIGHUP (`docs/adr/0020`). Also, the supervisor becomes
the child's parent, and learns the true exit status and the usage.
"""

import os
import socket
import sys
import traceback
from collections.abc import Callable
from typing import NoReturn

from jobrunner.isolation.errors import IsolationError
from jobrunner.protocol.control import Started, announce_start
from jobrunner.protocol.exit_codes import BROKEN, NOT_ISOLATED


def be_the_middle(control: socket.socket, request: int, be_the_child: Callable[[], NoReturn]) -> NoReturn:
    """Fork a child that does `be_the_child`, and end. In the child, any exception ends the process."""
    os.setsid()
    try:
        child = os.fork()
    except OSError as error:
        announce_start(control, Started(request, 0, error.errno or 0))
        os._exit(1)
    if child:
        # First the announcement, then the end: the supervisor takes unknown children for leftovers of jobs.
        announce_start(control, Started(request, child))
        os._exit(0)
    live_or_end(be_the_child)


def live_or_end(be_the_child: Callable[[], NoReturn]) -> NoReturn:
    """Call it, and end this process whatever it raises: a fork must never go on as the process that it came from."""
    try:
        be_the_child()
    except IsolationError as error:
        print(error, file=sys.stderr, flush=True)
        os._exit(NOT_ISOLATED)
    except BaseException:
        traceback.print_exc()
    finally:
        # Never return into the loop of the process that was forked, and never run its exit handlers.
        os._exit(BROKEN)
