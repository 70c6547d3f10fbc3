"""`supervisor journal`: which results this worker still owes the engine, and what to do with refused ones."""

import difflib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from pydantic import Field
from pydantic_settings import CliPositionalArg, SettingsConfigDict

from supervisor.commands.journal.adoption import adopt
from supervisor.commands.journal.output import print_entries, print_entry
from supervisor.commands.journal.places import find_journal
from supervisor.commands.shared.command_settings import EXIT_INTERRUPTED, StateDirectorySettings
from supervisor.commands.shared.common import EXIT_FAILED, EXIT_USAGE, read_settings
from supervisor.errors import SupervisorError
from supervisor.journal import Entry
from supervisor.journal.offline import drop, read_entries, requeue, salvage_entries
from supervisor.journal.rows import DAMAGED
from supervisor.settings.run_settings import RunSettings

PROGRAM: Final = "supervisor journal"
_CHANGES: Final = {"retry": requeue, "drop": drop}
_ACTIONS: Final = ("list", "show", *_CHANGES, "adopt")
_DONE: Final = {
    "retry": "The worker will send {count} dead letter(s) again: within seconds if it runs, else at its next start. "
    "Where the engine has a failed result of the job by now, it keeps that: the dead letter stays, and the log tells. "
    "So does one whose job the engine has handed out again since: it would be taken for the result of the new try.",
    "drop": "Dropped {count} claim(s), and wiped what they held.",
}
_EPILOG: Final = """\
  supervisor journal                 list the claims whose result the engine does not have
  supervisor journal show NUMBER     print one of them with its result, as JSON
  supervisor journal retry NUMBER    send a dead letter again; --all for all of them
  supervisor journal drop NUMBER     wipe a dead letter, or a claim that is set aside; --all for all dead letters
  supervisor journal adopt           say that the state directory was moved here on purpose, and is no copy

A dead letter is a result that the engine refused for good. The engine got a failed result in
its place, and keeps that one when the dead letter is sent again. The worker may run meanwhile,
but not during `adopt`."""


class JournalSettings(StateDirectorySettings):
    """Show what the engine does not have yet, and send or drop results that it refused.

    Exit code 0 when done, 1 when not, 2 for wrong usage.
    """

    model_config = SettingsConfigDict(**RunSettings.model_config)

    action: CliPositionalArg[list[str]] = Field(
        default=["list"],
        description="`list`, `show NUMBER`, `retry NUMBER`, `drop NUMBER`, `adopt`. Default: list.",
    )
    all: bool = Field(default=False, description="Retry or drop every dead letter.")
    yes: bool = Field(
        default=False, description="Adopt the directory. Without --yes, `adopt` only says what that means."
    )
    state_dir: Path | None = Field(
        default=None,
        description="The state directory of the worker, or of `supervisor local`. Default: their usual directories.",
    )
    file: Path | None = Field(
        default=None,
        description="List or show what is readable in this file: a journal that was moved aside.",
    )
    as_json: bool = Field(
        default=False,
        alias="json",
        description="Print one JSON object. This is the default if stdout is no terminal.",
    )


def run(arguments: list[str]) -> int:
    """Do the action. Returns 0, 1 if it could not be done, or 2 for wrong usage."""
    settings = read_settings(JournalSettings, arguments, PROGRAM, _EPILOG)
    name, *rest = settings.action
    try:
        if problem := _usage_problem(settings, name, rest):
            _say(f"{problem}\nTry '{PROGRAM} --help'.")
            return EXIT_USAGE
        if name == "adopt":
            return _adopt(settings)
        numbers = list(dict.fromkeys(map(int, rest)))
        if name in _CHANGES:
            return _change(settings, name, numbers)
        return _show(settings, numbers)
    except SupervisorError as error:
        _say(str(error))
        return EXIT_FAILED
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED


def _usage_problem(settings: JournalSettings, name: str, rest: Sequence[str]) -> str | None:
    if name not in _ACTIONS:
        near = difflib.get_close_matches(name, _ACTIONS, n=1)
        meant = f" Did you mean {near[0]}?" if near else ""
        return f"there is no action {name!r}.{meant} The actions are list, show, retry, drop and adopt."
    if wrong := next((word for word in rest if not (word.isascii() and word.isdigit())), None):
        return f"{wrong!r} is not a number. `{PROGRAM} list` shows the numbers."
    if settings.all and (name not in _CHANGES or rest):
        return "--all goes with `retry` or `drop`, in place of numbers."
    if settings.yes and name != "adopt":
        return "--yes goes with `adopt`."
    if name == "adopt" and (rest or settings.file is not None):
        return "`adopt` takes neither a number nor --file: it is about the whole directory (--state-dir)."
    if settings.file is not None and name in _CHANGES:
        return "--file goes with `list` and `show` only: no worker uses such a file, so nothing can be sent from it."
    if name == "list" and rest:
        return f"`list` takes no number. To see one claim: `{PROGRAM} show {rest[0]}`."
    if name not in ("list", "adopt") and not rest and not settings.all:
        return f"`{name}` needs a number. `{PROGRAM} list` shows the numbers."
    return None


def _show(settings: JournalSettings, numbers: Sequence[int]) -> int:
    if settings.file is not None:
        source, entries = settings.file, salvage_entries(settings.file)
    else:
        found = find_journal(settings.state_dir)
        source, entries = found.path, read_entries(found.path, numbers)
        if found.is_of_a_service and not found.others:
            _say(f"This is the journal of the service: {source}.")
        for other in found.others:
            _say(
                f"This is {source}. There is another journal, {other}: see it with --state-dir {other.parent}."
            )
    if settings.action[0] == "list":
        print_entries(entries, source, as_json=settings.as_json or not sys.stdout.isatty())
        return 0
    known = {entry.number: entry for entry in entries}
    missing = [number for number in numbers if number not in known]
    for number in numbers:
        if number in known:
            print_entry(known[number])
    return _refuse_unknown(source, missing)


def _the_one_journal(settings: JournalSettings) -> Path | None:
    """Return the journal to change, or `None` after saying that there is more than one.

    A number belongs to one journal: a claim of another one must not be dropped by mistake.
    """
    found = find_journal(settings.state_dir)
    if found.others:
        places = " or ".join(str(each.parent) for each in (found.path, *found.others))
        _say(f"There is more than one journal. Say which one is meant: --state-dir {places}.")
        return None
    return found.path


def _adopt(settings: JournalSettings) -> int:
    path = _the_one_journal(settings)
    if path is None:
        return EXIT_USAGE
    return 0 if adopt(path, really=settings.yes) else EXIT_FAILED


def _change(settings: JournalSettings, name: str, numbers: Sequence[int]) -> int:
    path = _the_one_journal(settings)
    if path is None:
        return EXIT_USAGE
    known = {entry.number: entry for entry in read_entries(path)}
    eligible = [
        number for number, entry in known.items() if entry.state == "dead" and _why_not(entry, name) is None
    ]
    chosen = eligible if settings.all else list(numbers)
    missing = [number for number in chosen if number not in known]
    problems = [
        problem for number in chosen if number in known and (problem := _why_not(known[number], name))
    ]
    for problem in problems:
        _say(problem)
    if missing or problems:  # all or nothing: a half-done change is hard to undo
        return max(_refuse_unknown(path, missing), EXIT_FAILED)
    count = _CHANGES[name](path, chosen)
    print(_DONE[name].format(count=count))
    if count < len(chosen):
        _say(f"The others have changed meanwhile; `{PROGRAM} list` shows how.")
        return EXIT_FAILED
    return 0


def _why_not(entry: Entry, change: str) -> str | None:
    job = f"Claim {entry.number} (job {entry.claim.job_id}) is no dead letter"
    if entry.state == "dead":
        if change == "retry" and entry.dead_reason == DAMAGED:
            return f"The result of claim {entry.number} is damaged and can't be sent; drop it."
        return None
    if entry.state == "set aside":
        return (
            None
            if change == "drop"
            else f"Claim {entry.number} has no result to send. See `{PROGRAM} adopt`."
        )
    if entry.state == "waiting":
        return f"{job}: its result is on its way to the engine, and is tried again by itself."
    return f"{job}: the job runs, or is reported at the worker's next start."


def _refuse_unknown(source: Path, missing: Sequence[int]) -> int:
    for number in missing:
        _say(
            f"There is no claim {number} in {source}. `{PROGRAM} list` shows the claims; "
            "a result that the engine has is not kept."
        )
    return EXIT_FAILED if missing else 0


def _say(text: str) -> None:
    print(f"{PROGRAM}: {text}", file=sys.stderr)
