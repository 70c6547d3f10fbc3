"""What `local` and `dev` show: rich text on a terminal; elsewhere the worker's log unchanged, or JSON lines."""

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from rich.console import Console
from rich.text import Text

from supervisor.commands.local.threshold import Threshold
from supervisor.commands.local.worker_lines import Line, as_text
from supervisor.commands.shared.console import OutputConsole
from supervisor.commands.shared.result_text import result_text
from supervisor.log.format import OTHER_LOG, iso_time, printable, shown_fields
from supervisor.log.setup import LogFormat

_COLOURS: Final = {"DEBUG": "dim", "WARNING": "yellow", "ERROR": "red", "CRITICAL": "bold red"}
_SHORT_ID: Final = 8


class Display(Protocol):
    """Shows what happens, as it happens."""

    def line(self, line: Line) -> None:
        """Show a line of the worker's log."""

    def say(self, text: str) -> None:
        """Show a message of the command itself."""

    def ready(self, url: str, text: str, hint: str) -> None:
        """Show that jobs can be submitted at `url`; `hint` is the command to type."""

    def result(self, job: dict[str, Any], cause: str) -> None:
        """Show the result of a job, as the engine has it."""


def display_for(
    *, as_json: bool, program: str, threshold: Threshold, log_format: LogFormat | None = None
) -> Display:
    """Return the right display: JSON if wanted, otherwise it depends on whether stdout is a terminal.

    `log_format` is what a person has chosen, as for a daemon: it wins over a terminal's default.
    """
    if as_json:
        return JsonDisplay(threshold)
    if sys.stdout.isatty() and log_format in (None, "auto"):
        return TerminalDisplay(OutputConsole(), threshold)
    return PlainDisplay(program, threshold, log_format or "indented")


def result_facts(job: dict[str, Any], cause: str) -> dict[str, Any]:
    """Return the important facts of a job's result, from the engine's answer."""
    result = (job.get("result") or {}).get("result") or {}
    return {
        "job": job.get("jobId"),
        "block": job.get("functionBlockId"),
        "success": bool(result.get("success")),
        "cause": cause,
        "message": str(result.get("message") or ""),
        "data": result.get("data"),
    }


class JsonDisplay:
    """One JSON object per line, on stdout."""

    def __init__(self, threshold: Threshold, write: Callable[[str], object] = sys.stdout.write) -> None:
        self._threshold = threshold
        self._write = write

    def _write_line(self, keys: dict[str, Any]) -> None:
        self._write(f"{json.dumps(keys, ensure_ascii=True)}\n")
        sys.stdout.flush()

    def _event(self, event: str, message: str, level: str = "INFO", **facts: Any) -> None:
        own = {"time": iso_time(datetime.now(UTC)), "level": level, "logger": __name__}
        self._write_line({**own, "event": event, "message": message, **facts})

    def line(self, line: Line) -> None:
        """See `Display.line`."""
        if not self._threshold.lets_through(line):
            return
        own = {"time": line.time, "level": line.level, "logger": line.logger}
        said = {"event": line.event or OTHER_LOG, "message": line.message}
        rest = {"fields": line.fields, "traceback": line.traceback}
        self._write_line({name: value for name, value in (own | said | rest).items() if value} | line.facts)

    def say(self, text: str) -> None:
        """See `Display.say`."""
        self._event("notice", text)

    def ready(self, url: str, text: str, hint: str) -> None:
        """See `Display.ready`."""
        self._event("ready", text, url=url, next=hint)

    def result(self, job: dict[str, Any], cause: str) -> None:
        """See `Display.result`."""
        facts = result_facts(job, cause)
        self._event("result", facts.pop("message"), "INFO" if facts["success"] else "WARNING", **facts)


class PlainDisplay:
    """The worker's log unchanged, on stderr, as in a service; messages for people on stdout."""

    def __init__(self, program: str, threshold: Threshold, log_format: LogFormat) -> None:
        self._program = program
        self._threshold = threshold
        on_terminal = sys.stderr.isatty()
        self._as_json = log_format == "json" or (log_format == "auto" and not on_terminal)
        self._indent = on_terminal or log_format == "indented"

    def line(self, line: Line) -> None:
        """See `Display.line`."""
        if self._threshold.lets_through(line):
            text = line.raw if self._as_json else as_text(line, indent=self._indent)
            print(text, file=sys.stderr, flush=True)

    def say(self, text: str) -> None:
        """See `Display.say`."""
        print(f"{self._program}: {text}", file=sys.stderr, flush=True)

    def ready(self, url: str, text: str, hint: str) -> None:
        """See `Display.ready`."""
        print(f"{self._program}: ready, the engine is at {url}. To submit a job: {hint}", flush=True)

    def result(self, job: dict[str, Any], cause: str) -> None:
        """See `Display.result`."""
        facts = result_facts(job, cause)
        outcome = "success" if facts["success"] else "failed"
        data = "" if facts["data"] is None else f" {json.dumps(facts['data'], ensure_ascii=False)}"
        text = f"{facts['block']} {facts['job']}: {outcome}: {facts['message']}{data}"
        print(printable(text), flush=True)


class TerminalDisplay:
    """Coloured lines without what a person at a terminal does not need: dates, loggers, whole ids."""

    def __init__(self, console: Console, threshold: Threshold) -> None:
        self._console = console
        self._threshold = threshold

    def line(self, line: Line) -> None:
        """See `Display.line`."""
        if not self._threshold.lets_through(line):
            return
        first, *further = line.message.split("\n")
        head = f"{first}{shown_fields(line.unsaid | line.fields)}"
        self._row(line, f"{line.local_time:8} ", head)
        for row in (*further, *line.traceback.splitlines()):
            self._row(line, " " * 9, row)

    def _row(self, line: Line, time: str, row: str) -> None:
        text = Text.assemble((time, "dim"))
        if job := line.fact("job"):
            text.append(f"{job[:_SHORT_ID]} {short_block(line.fact('block'))} ", style="cyan")
        if stream := line.fact("stream"):
            text.append(f"{stream} ", style="dim")
        text.append(printable(row), style=_COLOURS.get(line.level, ""))
        self._print(text)

    def say(self, text: str) -> None:
        """See `Display.say`."""
        self._print(Text(text, style="bold"))

    def ready(self, url: str, text: str, hint: str) -> None:
        """See `Display.ready`."""
        self._print(Text.assemble(("Ready. ", "bold green"), f"The engine is at {url}. In another terminal:"))
        self._print(Text(f"  {hint}", style="cyan"))

    def result(self, job: dict[str, Any], cause: str) -> None:
        """See `Display.result`."""
        facts = result_facts(job, cause)
        ok = facts["success"]
        head = ("success", "bold green") if ok else (f"failed ({cause})", "bold red")
        label = f"{' ' * 9}{str(facts['job'])[:_SHORT_ID]} {short_block(str(facts['block']))} "
        self._print(Text.assemble((label, "cyan"), head, f" {printable(facts['message'])}"))
        if facts["data"] is not None:
            for row in result_text(facts["data"]).split("\n"):
                self._print(Text(f"{' ' * 11}{printable(row)}"))

    def _print(self, text: Text) -> None:
        self._console.print(text, soft_wrap=True)


def short_block(block_id: str) -> str:
    """Return the name of a block without package and version."""
    return block_id.partition(":")[0].rpartition("/")[2]
