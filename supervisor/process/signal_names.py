"""What messages call the end of a process."""

import signal


def signal_name(number: int) -> str:
    """Return the name of a signal, or `signal 44`: of the real-time signals Python names the first and the last."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def how_it_ended(code: int) -> str:
    """Say how a process ended whose exit code is this, negative for a signal."""
    if code >= 0:
        return f"exit code {code}"
    return f"signal {signal_name(-code).removeprefix('signal ')}"
