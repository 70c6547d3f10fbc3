"""The console for output that is more than plain text."""

from typing import Any

from rich.console import Console
from rich.status import Status


class OutputConsole(Console):
    """Same as `rich.console.Console`. But `supervisor.cli` learns that nobody reads any more, and ends the command."""

    def __init__(self, **options: Any) -> None:
        super().__init__(highlight=False, **options)

    def on_broken_pipe(self) -> None:
        """Raise the error, for which rich would exit with status 1. Called while a `BrokenPipeError` is handled."""
        raise  # the error that is being handled


def status_on(console: Console, text: str) -> Status:
    """Return a line that changes while something runs, in characters that the terminal has."""
    return Status(text, console=console, spinner="line" if console.options.ascii_only else "dots")
