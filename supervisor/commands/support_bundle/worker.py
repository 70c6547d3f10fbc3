"""What the running worker answers, and what systemd knows of it."""

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from supervisor.commands.shared.service_places import unit_with
from supervisor.commands.support_bundle.collection import LeftOutError, Part, output_of
from supervisor.commands.support_bundle.machine import read_small
from supervisor.errors import SupervisorError
from supervisor.log.format import printable_json
from supervisor.worker.control_socket.client import ControlClient
from supervisor.worker.control_socket.protocol import ControlError

_ASK_SECONDS: Final = 8.0
_DOCTOR_SECONDS: Final = 40.0
_LOG_LINES: Final = "5000"
_LOG_CAP_CHARS: Final = 2**20
_UNIT: Final = re.compile(r"/([\w@.:\\-]+\.(?:service|scope))(?=/|$)", re.MULTILINE)
_OF_A_USER: Final = re.compile(r"user@[^/]*\.service")
_DEFAULT_UNIT: Final = "neops-supervisor.service"


def asked(client: ControlClient, command: str, **arguments: Any) -> Callable[[], Any]:
    """Return a function that asks the worker. It raises `LeftOutError` if the worker can't be asked or refuses."""

    def ask() -> Any:
        try:
            return client.ask(command, timeout_seconds=_ASK_SECONDS, **arguments)
        except ControlError as error:
            raise LeftOutError(f"The worker answered: {error}") from None
        except SupervisorError as error:
            raise LeftOutError(str(error)) from None

    return ask


def log_asked(client: ControlClient, job_id: str) -> Callable[[], Any]:
    """Return a function that asks for a job's log and returns a list of the answer's parts; a long log is cut."""

    def ask() -> Any:
        found: list[Any] = []
        chars = 0
        try:
            for each in client.stream("logs", timeout_seconds=_ASK_SECONDS, job_id=job_id):
                # Escaped as JSON here: a later escape for terminals would make the lines invalid JSON.
                found.append({**each, "lines": printable_json(each["lines"])})
                chars += len(str(each))
                if chars > _LOG_CAP_CHARS:
                    break
        except ControlError as error:
            raise LeftOutError(f"The worker answered: {error}") from None
        except SupervisorError as error:
            raise LeftOutError(str(error)) from None
        return found

    return ask


def unit_of(pid: int | None, state_dir: Path) -> str:
    """Return a worker's service, by its cgroup. If that does not show it, because no worker runs, by its state
    directory; otherwise the usual name.

    Raises `LeftOutError` if it runs in no service, as in a terminal. On a desktop, all programs are in the service of
    the user's session (`user@1000.service`), and its log has everything that the user does.
    """
    text = read_small(Path(f"/proc/{pid}/cgroup")) if pid is not None else None
    found = _UNIT.findall(text or "")
    if not found:
        return unit_with(state_dir) or _DEFAULT_UNIT
    if found[-1].endswith(".scope") or any(map(_OF_A_USER.fullmatch, found)):
        raise LeftOutError("The worker runs in no service of this machine's systemd.")
    return str(found[-1])


def systemd_parts(pid: int | None, state_dir: Path) -> list[Part]:
    """Return what systemd shows of the unit, and the last lines of its log."""
    shown = ["systemctl", "show", "--no-pager", "--property", _PROPERTIES]
    log = [
        "journalctl",
        "--no-pager",
        "--quiet",
        "--output",
        "short-iso",
        "--lines",
        _LOG_LINES,
        "--unit",
    ]
    return [
        Part("systemd/unit.txt", lambda: output_of([*shown, unit_of(pid, state_dir)])),
        Part("log/journal.txt", lambda: output_of([*log, unit_of(pid, state_dir)])),
    ]


_PROPERTIES: Final = (
    "Id,LoadState,ActiveState,SubState,StatusText,Result,NRestarts,ExecMainStartTimestamp,ExecMainCode,ExecMainStatus,"
    "MainPID,MemoryCurrent,MemoryMax,TasksCurrent,TasksMax,CPUUsageNSec,LimitNOFILE,LimitNPROC,Delegate,ControlGroup,"
    "User,WatchdogUSec,WatchdogTimestamp,FragmentPath,DropInPaths,NeedDaemonReload"
)
"""Without the environment and the command line: these may hold secrets."""


def doctor_part(arguments: list[str]) -> Part:
    """Return the output of `supervisor doctor` here. It is its own program: it may hang, or import broken blocks."""
    command = [sys.executable, "-P", "-m", "supervisor.cli", "doctor", "--json", *arguments]
    return Part("doctor.json", lambda: _parsed(output_of(command, _DOCTOR_SECONDS).text), _DOCTOR_SECONDS + 2)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):  # doctor prints something else if a setting is wrong
        return text
