"""Where commands print what is more than plain text."""

from typing import Any

from rich.console import Console
from rich.status import Status


class OutputConsole(Console):
    """As `rich.console.Console`, for `supervisor.cli` to see that nobody reads any more, and to end the command."""

    def __init__(self, **options: Any) -> None:
        super().__init__(highlight=False, **options)

    def on_broken_pipe(self) -> None:
        """Raise what rich would make an exit with status 1 of. Called where a `BrokenPipeError` is handled."""
        raise  # the error that is being handled


def status_on(console: Console, text: str) -> Status:
    """Return a line that changes while something runs, in characters that the terminal has."""
    return Status(text, console=console, spinner="line" if console.options.ascii_only else "dots")
