"""The text of each unit, made from the shipped one. A table here has the differences between the forms."""

import re
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Final

UNITS: Final = "units"
SERVICE: Final = "neops-supervisor.service"
JOB_USERS: Final = "neops-supervisor-job-users.conf"
SHIPPED_PROGRAM: Final = "/opt/neops-supervisor/bin/supervisor"
_NEEDS_QUOTES: Final = re.compile(r"[^A-Za-z0-9_@%+=:,./-]")


@dataclass(frozen=True, slots=True)
class Form:
    """A form of the unit: the name of its file, and the lines that replace lines of the shipped one."""

    file: str
    lines: tuple[tuple[str, str], ...] = ()


PLAIN: Final = Form(SERVICE)

INSTANCE: Final = Form(
    "neops-supervisor@.service",
    (
        (
            "# The neops worker as a service. Installation",
            "# One of several neops workers on one machine: systemctl enable --now neops-supervisor@NAME.\n"
            "# Each has a state directory, a runtime directory and settings of its own: what is in\n"
            "# /etc/neops-supervisor.env is for all, and /etc/neops-supervisor-NAME.env comes after it. Installation",
        ),
        ("`systemctl edit neops-supervisor`", "`systemctl edit neops-supervisor@`"),
        ("each job in a process of its own\n", "each job in a process of its own (%i)\n"),
        (
            "EnvironmentFile=-/etc/neops-supervisor.env\n",
            "# The engine shows two workers under two names.\n"
            "Environment=NEOPS_WORKER_NAME=%H-%i\n"
            "EnvironmentFile=-/etc/neops-supervisor.env\n"
            "EnvironmentFile=-/etc/neops-supervisor-%i.env\n",
        ),
        ("/var/lib/neops-supervisor.", "/var/lib/neops-supervisor-%i."),
        ("StateDirectory=neops-supervisor\n", "StateDirectory=neops-supervisor-%i\n"),
        ("/run/neops-supervisor.\n", "/run/neops-supervisor-%i.\n"),
        ("RuntimeDirectory=neops-supervisor\n", "RuntimeDirectory=neops-supervisor-%i\n"),
    ),
)

LOCAL: Final = Form(
    "neops-local.service",
    (
        ("# The neops worker as a service.", "# `supervisor local` as a service."),
        ("`systemctl edit neops-supervisor`", "`systemctl edit neops-local`"),
        ("=neops worker: runs", "=neops engine and worker of this machine: runs"),
        (
            "# The engine is usually another machine. One that is not there yet is waited for; this only spares the "
            "retries.",
            "# The engine is part of this. Devices need the network.",
        ),
        ("# An engine can be away for hours: restarts", "# Restarts"),
        (
            "registered with the engine, blocks included, and able to run a job. The worker says so itself (READY=1).",
            "the engine listens, and the worker is registered with it.",
        ),
        (
            f"ExecReload={SHIPPED_PROGRAM} reload\n",
            f"ExecReload={SHIPPED_PROGRAM} reload --state-dir /var/lib/neops-local/worker\n",
        ),
        (f"ExecStart={SHIPPED_PROGRAM}\n", f"ExecStart={SHIPPED_PROGRAM} local\n"),
        (
            "# The worker says four times in this time that it makes progress: its loop is on time, and polls, "
            "heartbeat, starts of\n# children and deliveries go on. One that hangs is ended, and started again. "
            "An engine that is away is no reason.",
            "# What starts engine and worker, and starts them again, says four times in this time that it runs.",
        ),
        ("EnvironmentFile=-/etc/neops-supervisor.env\n", "EnvironmentFile=-/etc/neops-local.env\n"),
        (
            "# Above the time for which an engine is waited for (120 s) and the import of the blocks. With longer "
            "ones in the\n# settings the worker asks for more. A reload may take as long.",
            "# Longer than most imports of blocks take. `supervisor local` asks for more, and gives up by itself after "
            "ten\n# minutes. A reload may take as long.",
        ),
        (
            "# With a longer NEOPS_SHUTDOWN_TIMEOUT_SECONDS the worker asks for more",
            "# `supervisor local` asks for what its settings want, and the end of the engine besides",
        ),
        (
            "# The journal of claims and results: /var/lib/neops-supervisor.",
            "# Jobs, results, logs and the journal: /var/lib/neops-local.",
        ),
        ("StateDirectory=neops-supervisor\n", "StateDirectory=neops-local\n"),
        ("/run/neops-supervisor.\n", "/run/neops-local.\n"),
        ("RuntimeDirectory=neops-supervisor\n", "RuntimeDirectory=neops-local\n"),
    ),
)


def shipped(name: str) -> str:
    """Return the text of a file that comes with this package."""
    return files("supervisor.commands.deploy").joinpath(UNITS, name).read_text(encoding="utf-8")


def unit_text(form: Form, program: Path) -> str:
    """Return the text of a unit in this form, for the worker that `program` starts."""
    text = shipped(SERVICE)
    for old, new in form.lines:
        if text.count(old) != 1:
            raise ValueError(f"{form.file}: {old!r} is there {text.count(old)} times")
        text = text.replace(old, new)
    return text.replace(SHIPPED_PROGRAM, _as_word(program))


def _as_word(program: Path) -> str:
    # systemd.service(5): specifiers begin with %, variables with $, and words are quoted as in C.
    text = str(program).replace("%", "%%").replace("$", "$$")
    if not _NEEDS_QUOTES.search(text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
