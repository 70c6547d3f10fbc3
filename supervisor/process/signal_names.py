"""How messages describe the end of a process."""

import signal

_FIRST_REAL_TIME = int(signal.SIGRTMIN)


def signal_name(number: int) -> str:
    """Return the name of a signal. Python names only the first and last real-time signal: `SIGRTMIN+10`."""
    try:
        return signal.Signals(number).name
    except ValueError:
        offset = number - _FIRST_REAL_TIME
        return f"SIGRTMIN+{offset}" if offset > 0 else f"SIG{number}"


def how_it_ended(code: int) -> str:
    """Say how a process with this exit code ended; negative is a signal."""
    return f"exit code {code}" if code >= 0 else f"signal {signal_name(-code)}"
