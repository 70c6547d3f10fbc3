"""A process on a Linux device with FRR that takes a change back, unless it is stopped in time.

It survives the login that started it, and holds a copy of the configuration that only its user can read. It leaves
nothing behind. The first to rename the file `armed` wins: the process when its time has come, or whoever confirms.
"""

from __future__ import annotations

import base64
import shlex
from collections.abc import Callable
from typing import Final

from sdk.connection.changes.device import ConfirmTimer
from sdk.connection.changes.failures import timer_unknown
from sdk.connection.changes.lines import ConfigurationLine
from sdk.connection.errors import DeviceError

KIND: Final = "process"
_CHUNK_CHARS: Final = 800  # the part of a line that a terminal takes in one piece: its limit is 4096
_MARK: Final = "neops-timer:"

_SHOWN: Final = "vtysh -c 'show running-config' | sed -n '/^!/,$p'"
_SCRIPT: Final = f"""\
echo $$ >"$1/pid"
sleep "$2"
mv "$1/armed" "$1/fired" || exit 1
for pause in 1 2 4 0; do
    vtysh -f "$1/inverse"
    vtysh -f "$1/before"
    [ "x$({_SHOWN})" = "x$(cat "$1/before")" ] && break
    sleep $pause
done
rm -rf "$1"
"""
"""It looks whether the configuration is back, and tries again if not: FRR may refuse lines while it is busy, and a line
of the change may have been on its way. It gives up after seven seconds, because others may change the device then."""


def start(send: Callable[[str], str], seconds: float, inverse: tuple[ConfigurationLine, ...]) -> str | None:
    """Start the process by lines that `send` gives to a shell. Return its directory, None if it did not start.

    Raises:
        TimerUnknownError: the session ended before the shell said whether it runs.
        DeviceError: it ended before the process was started. No line of the file is in the error.
    """
    # None of these lines may be kept in the shell's history: the inverse can hold secrets.
    send("set +o history 2>/dev/null; unset HISTFILE")
    said = send(f"umask 077; d=$(mktemp -d /tmp/neops-timer.XXXXXX) && echo {_MARK}$d:")
    directory = _marked(said)
    if directory is None:
        return None
    quoted = shlex.quote(directory)
    for name, text in (("restore", _SCRIPT), ("inverse", inverse_script(inverse))):
        try:
            _write(send, f"{quoted}/{name}", text)
        except DeviceError as error:
            raise _without_its_command(error, quoted) from None
    send(f"{_SHOWN} >{quoted}/before; touch {quoted}/armed")
    try:
        return directory if _is_started(send, quoted, seconds) else None
    except DeviceError as error:
        raise timer_unknown(ConfirmTimer(KIND, seconds), f"rm -rf {quoted}", error) from None


def _is_started(send: Callable[[str], str], quoted: str, seconds: float) -> bool:
    send(f"( setsid sh {quoted}/restore {quoted} {seconds:g} </dev/null >/dev/null 2>&1 & )")
    said = send(
        f"i=0; while [ $i -lt 50 ] && ! [ -s {quoted}/pid ]; do sleep 0.1; i=$((i+1)); done; "
        f"[ -s {quoted}/pid ] && [ -s {quoted}/before ] && echo {_MARK}started:"
    )
    is_started = _marked(said) == "started"
    if not is_started:
        # It may have been started nevertheless, or be about to: without the file `armed` it ends and does nothing.
        send(f"rm -rf {quoted}")
    return is_started


def cancel(send: Callable[[str], str], directory: str) -> bool:
    """Stop the process; return False if it was too late."""
    quoted = shlex.quote(directory)
    said = send(
        f"mv {quoted}/armed {quoted}/cancelled 2>/dev/null && "
        f'{{ kill -- "-$(cat {quoted}/pid)"; rm -rf {quoted}; echo {_MARK}cancelled:; }}'
    )
    return _marked(said) == "cancelled"


def inverse_script(inverse: tuple[ConfigurationLine, ...]) -> str:
    """Return the lines as a file for vtysh: each with the commands that enter and leave its sections."""
    lines: list[str] = []
    for line in inverse:
        lines += [*line.parents, line.text, *("exit" for _ in line.parents)]
    return "".join(f"{line}\n" for line in lines)


def _write(send: Callable[[str], str], path: str, text: str) -> None:
    encoded = base64.b64encode(text.encode()).decode()
    send(f": >{path}.64")
    for start_at in range(0, len(encoded), _CHUNK_CHARS):
        send(f"printf %s {encoded[start_at : start_at + _CHUNK_CHARS]} >>{path}.64")
    send(f"base64 -d {path}.64 >{path}; rm {path}.64")


def _without_its_command(error: DeviceError, quoted: str) -> DeviceError:
    """Return the error without what was sent and echoed: in base64, no mask finds the secrets of the inverse."""
    return type(error)(
        f"{error.where}: the file of its confirm timer was not written ({error.cause.value}). No line of the change "
        f"was sent, and the timer does not run. Check the device, remove {quoted} from it, and try again.",
        where=error.where,
        retryable=error.retryable,
    )


def _marked(said: str) -> str | None:
    # The typed line also has the mark, with a `$d` after it.
    for line in said.splitlines():
        before, mark, rest = line.strip().partition(_MARK)
        if mark and not before and rest.endswith(":"):
            return rest.removesuffix(":")
    return None
