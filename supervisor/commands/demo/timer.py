"""`python -m supervisor.commands.demo.timer SECONDS`: how late this machine wakes a process that does nothing else.

It is a process of its own, so neither the demo nor the worker is part of the measurement. On each processor, it wakes
at a fixed interval until SIGTERM: a host may take a single processor of a virtual machine away, whose kernel does not
know that, and moves nothing that runs there to another one. Then it prints a JSON list with a list for each processor:
by how many seconds each wake-up was late.
"""

import contextlib
import json
import os
import signal
import sys
import threading
import time


def measure(interval_seconds: float, due: float, is_asked_to_stop: threading.Event) -> list[float]:
    """Wake every `interval_seconds` after `due` until it is asked to stop; return the latenesses in seconds.

    It makes up for each wake-up that it has missed, also at the end.
    """
    late: list[float] = []
    is_over = False
    while True:
        due += interval_seconds
        while (left := due - time.monotonic()) > 0:
            if is_over:
                return late
            is_over = is_asked_to_stop.wait(left)
        late.append(round(time.monotonic() - due, 6))


def main(interval_seconds: float) -> None:
    """Measure on each processor until SIGTERM, and print it."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    began = time.monotonic()
    stop = threading.Event()
    measured: list[list[float]] = []

    def measure_on(processor: int) -> None:
        with contextlib.suppress(OSError):  # it may have been taken off meanwhile
            os.sched_setaffinity(0, {processor})  # of this thread
        measured.append(measure(interval_seconds, began, stop))

    timers = [threading.Thread(target=measure_on, args=(each,)) for each in sorted(os.sched_getaffinity(0))]
    for timer in timers:
        timer.start()
    print("timer ready", flush=True)
    signal.sigwait({signal.SIGTERM})
    stop.set()
    for timer in timers:
        timer.join()
    print(json.dumps(measured), flush=True)


if __name__ == "__main__":
    main(float(sys.argv[1]))
