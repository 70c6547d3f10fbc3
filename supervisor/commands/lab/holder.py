"""The process that holds a lab for people: how it is started, found and ended, by the files in its directory."""

import contextlib
import fcntl
import json
import os
import select
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from supervisor.commands.local.places import local_state_directory
from supervisor.errors import SupervisorError

_PROGRAM: Final = "sdk.testing.lab_program"
_START_SECONDS: Final = 90.0
_END_SECONDS: Final = 20.0
_LOOK_SECONDS: Final = 0.05
_LAST_WORDS_CHARS: Final = 2000


class LabError(SupervisorError):
    """A lab could not be started or ended."""


@dataclass(frozen=True, slots=True)
class LabPlace:
    """Where a lab's holder puts files for people. `sdk.testing.lab_program` has the names of these files."""

    lab: str
    directory: Path

    @property
    def context(self) -> Path:
        """The context of a job on the lab's devices, with passwords."""
        return self.directory / "context.json"

    @property
    def passwords(self) -> Path:
        """One line for each device: device, account and password."""
        return self.directory / "passwords"

    def holder_pid(self) -> int | None:
        """Return the process that holds the lab, `None` if there is none."""
        try:
            with (self.directory / "holder").open() as file:
                if _is_locked(file.fileno()):
                    return int(file.read())
        except (OSError, ValueError):  # no such file; or it has not written its number yet
            pass
        return None

    def devices(self) -> list[dict[str, Any]]:
        """Return the devices of a running lab. Raises `LabError`."""
        try:
            found: list[dict[str, Any]] = json.loads(self.context.read_text())["devices"]
        except (OSError, ValueError, KeyError) as error:
            reason = f"What the lab {self.lab} has written about its devices can't be read: {error}."
            raise LabError(f"{reason} End it with: supervisor lab down {self.lab}") from None
        return found


def place_of(lab: str) -> LabPlace:
    """Return the place of this user's lab with that name."""
    return LabPlace(lab, local_state_directory() / "labs" / lab)


def start(place: LabPlace) -> None:
    """Start the lab and wait until its devices answer; it goes on when this process ends. Raises `LabError`."""
    # One by one: with `parents`, the umask would decide the mode of the directories above.
    for directory in (local_state_directory(), place.directory.parent, place.directory):
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise LabError(f"The directory {directory} can't be made: {error.strerror}.") from None
    # The process in between ends at once: then the holder is not this command's child, and nobody must reap it.
    # -P: a directory named `sdk` in the author's project must not hide ours.
    holder = [sys.executable, "-P", "-m", _PROGRAM, place.lab, str(place.directory)]
    with subprocess.Popen(  # noqa: S603
        ["setsid", "--fork", *holder],  # noqa: S607  # util-linux, wherever it is
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd="/",
    ) as process:
        assert process.stdout is not None
        said = _first_words(process.stdout.fileno())
    # If nobody reads any more when it is ready, after a Ctrl-C or too late, it ends by itself.
    if said is None:
        end(place)
        raise LabError(f"The lab {place.lab} was not there within {_START_SECONDS:g} s. It was ended.")
    if not said.startswith("{"):
        raise LabError(f"The lab {place.lab} could not be started. {said}")


def _first_words(output: int) -> str | None:
    """Return the JSON line that says that it is ready, or its output before it ended; `None` if it was too late."""
    end_at = time.monotonic() + _START_SECONDS
    said = b""
    news = select.poll()
    news.register(output, select.POLLIN)
    while news.poll(max(0.0, end_at - time.monotonic()) * 1000):
        data = os.read(output, 65536)
        said += data
        last = said[:-1].rpartition(b"\n")[2]
        if last.startswith(b"{") and said.endswith(b"\n"):
            return last.decode()
        if not data:
            return said.decode(errors="replace").strip()[-_LAST_WORDS_CHARS:]
    return None


def end(place: LabPlace) -> bool:
    """End the lab and wait until nothing of it is left; return whether one ran. Raises `LabError`."""
    pid = place.holder_pid()
    if pid is None:
        return False
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    end_at = time.monotonic() + _END_SECONDS
    while place.holder_pid() is not None:
        if time.monotonic() > end_at:
            raise LabError(
                f"The lab {place.lab} has not ended within {_END_SECONDS:g} s. Kill its holder: kill -9 {pid}"
            )
        time.sleep(_LOOK_SECONDS)
    return True


def _is_locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False
