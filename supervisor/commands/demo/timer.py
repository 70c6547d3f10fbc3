"""`python -m supervisor.commands.demo.timer SECONDS`: how late this machine wakes a process that does nothing else.

It is a process of its own, so neither the demo nor the worker is part of the measurement. It wakes at a fixed interval
until SIGTERM. Then it prints one JSON list: by how many seconds each wake-up was late.
"""

import json
import signal
import sys
import time


def measure(interval_seconds: float) -> list[float]:
    """Wake every `interval_seconds` until SIGTERM, which must be blocked; return the latenesses in seconds."""
    late: list[float] = []
    due = time.monotonic()
    while True:
        due += interval_seconds
        while (left := due - time.monotonic()) > 0:
            if signal.sigtimedwait({signal.SIGTERM}, left) is not None:
                return late
        late.append(time.monotonic() - due)


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    print("timer ready", flush=True)
    print(json.dumps(measure(float(sys.argv[1]))), flush=True)
