"""The page of exit codes, from the table that the commands themselves use."""

from supervisor.worker.control_socket.exit_codes import MEANINGS

EXIT_CODES_FILE = "exit-codes.md"

_HEAD = """\
# Exit codes

<!-- Written by `make docs` from `supervisor/worker/control_socket/exit_codes.py`; changes here are lost. -->

The exit codes of the worker itself: [stop and reload](../how-to/stop-and-reload.md#exit-codes). Commands that ask no
running worker (those for authors, `doctor`, `journal`, `host-keys`, `backup`, `deploy`) end with 0 when all is well, 1
when something failed, 2 for wrong usage, 130 when Ctrl-C ends them before they have an answer, and 143 when SIGTERM
does. Their `--help` names further codes. For every command, 74 and 141 mean what the table below says.

Commands that ask a running worker, such as `supervisor status`:

| code | |
|---|---|
"""


def render_exit_codes() -> str:
    """Return the page as Markdown."""
    return _HEAD + "".join(f"| {code} | {meaning} |\n" for code, meaning in MEANINGS.items())
