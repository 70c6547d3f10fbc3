"""What the demo shows while it runs, on stderr: one changing line on a terminal, plain lines elsewhere."""

from types import TracebackType
from typing import Self

from rich.console import Console

from supervisor.commands.shared.console import status_on


class Progress:
    """Shows how far the demo is. A context manager, which restores the terminal."""

    def __init__(self, console: Console, *, verbose: bool) -> None:
        self._console = console
        self._verbose = verbose
        self._status = status_on(console, "Starting") if console.is_terminal else None
        self._last = ""

    def __enter__(self) -> Self:
        if self._status is not None:
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._status is not None:
            self._status.stop()

    def step(self, text: str) -> None:
        """Show the current step. A repeated step is not shown again."""
        if text == self._last:
            return
        self._last = text
        if self._status is not None:
            self._status.update(text)
        else:
            self._print(text)

    def note(self, text: str) -> None:
        """Show something that stays on the screen."""
        self._print(text)

    def line(self, program: str, text: str) -> None:
        """Show a line that a program has printed, if this is wanted."""
        if self._verbose:
            self._print(f"{program}: {text}")

    def _print(self, text: str) -> None:
        # Unchanged: a program's output is not markup, and must not be wrapped.
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)
