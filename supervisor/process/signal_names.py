"""What messages call the end of a process."""

import signal

_FIRST_REAL_TIME = int(signal.SIGRTMIN)


def signal_name(number: int) -> str:
    """Return the name of a signal. Of the real-time ones Python names the first and the last: `SIGRTMIN+10`."""
    try:
        return signal.Signals(number).name
    except ValueError:
        offset = number - _FIRST_REAL_TIME
        return f"SIGRTMIN+{offset}" if offset > 0 else f"SIG{number}"


def how_it_ended(code: int) -> str:
    """Say how a process ended whose exit code is this, negative for a signal."""
    return f"exit code {code}" if code >= 0 else f"signal {signal_name(-code)}"
