"""`supervisor host-keys`: the host keys that a worker keeps. A running worker notices changes within two seconds."""

import difflib
import errno
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from pydantic import Field
from pydantic_settings import CliPositionalArg, SettingsConfigDict

from supervisor.commands.journal.places import find_journal
from supervisor.commands.shared.command_settings import EXIT_INTERRUPTED, StateDirectorySettings
from supervisor.commands.shared.common import EXIT_FAILED, EXIT_USAGE, read_settings
from supervisor.commands.shared.console import OutputConsole
from supervisor.commands.shared.json_output import print_json
from supervisor.commands.shared.table import print_rows
from supervisor.errors import SupervisorError
from supervisor.job.host_keys.endpoint import Endpoint, parse_name
from supervisor.job.host_keys.files import KeptFile
from supervisor.job.host_keys.known_hosts_file import Line
from supervisor.job.host_keys.store import FILE
from supervisor.log.format import printable_line
from supervisor.process.owners_rights import as_owner, refuse_what_is_not_of
from supervisor.process.user_names import user_name, who_may_use
from supervisor.settings.run_settings import RunSettings

PROGRAM: Final = "supervisor host-keys"
_ACTIONS: Final = ("list", "forget")
_EPILOG: Final = """\
  supervisor host-keys                   list the host keys that the worker has accepted and keeps
  supervisor host-keys forget ADDRESS    forget the keys of a device, on every port; ADDRESS:PORT for one port

After `forget`, the device is new to the worker: the worker accepts the next key that the device shows
(--host-keys accept-new). The worker may run meanwhile. Keys in the file of --known-hosts are not listed
here; change them yourself."""


class HostKeysSettings(StateDirectorySettings):
    """List the host keys of devices that the worker has accepted, or forget the keys of one device.

    Exit code 0 when done, 1 when not, 2 for wrong usage.
    """

    model_config = SettingsConfigDict(**RunSettings.model_config)

    action: CliPositionalArg[list[str]] = Field(
        default=["list"], description="`list`, `forget ADDRESS`. Default: list."
    )
    state_dir: Path | None = Field(
        default=None,
        description="The state directory of the worker, or of `supervisor local`. Default: their usual directories.",
    )
    as_json: bool = Field(
        default=False,
        alias="json",
        description="Print one JSON object. This is the default if stdout is no terminal.",
    )


def run(arguments: list[str]) -> int:
    """Do the action. Returns 0, 1 if it could not be done, or 2 for wrong usage."""
    settings = read_settings(HostKeysSettings, arguments, PROGRAM, _EPILOG)
    name, *rest = settings.action
    if problem := _usage_problem(name, rest):
        _say(f"{problem}\nTry '{PROGRAM} --help'.")
        return EXIT_USAGE
    try:
        found = find_journal(settings.state_dir)
        if found.others and name == "forget":
            places = " or ".join(str(each.parent) for each in (found.path, *found.others))
            _say(f"There is more than one worker's directory. Say which one is meant: --state-dir {places}.")
            return EXIT_USAGE
        file = found.path.with_name(FILE)
        lines = _lines_of(file, rest)
    except (SupervisorError, OSError) as error:
        _say(str(error))
        return EXIT_FAILED
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    # Not above: an error of the output does not come from the file.
    if name == "forget":
        return _tell_forgotten(file, rest, lines)
    _list(file, lines, settings)
    return 0


def _lines_of(file: Path, forgotten: Sequence[str]) -> Sequence[Line]:
    """Return the lines of the file. If there are words, remove the lines that they mean, and return these.

    In another user's directory, root works with that user's rights, and new files belong to that user. Raises
    `SupervisorError`.
    """
    owner: int | None = None
    try:
        with as_owner(file.parent) as owner:
            if owner is not None:
                refuse_what_is_not_of(owner, file)
            kept = KeptFile(file, owner)
            if forgotten:
                return kept.remove(_meaning(forgotten))
            kept.read_if_changed()
            return kept.text.lines
    except PermissionError:
        raise SupervisorError(_who_may_use(file, owner)) from None
    except OSError as error:
        reason = (
            "its file system is read-only" if error.errno == errno.EROFS else error.strerror or str(error)
        )
        raise SupervisorError(f"{file} can't be {'changed' if forgotten else 'read'}: {reason}.") from None
    except ValueError as error:
        raise SupervisorError(f"{file} can't be read: {error}.") from None


def _who_may_use(file: Path, owner: int | None) -> str:
    if owner is None:
        return who_may_use("the file", file)
    return (
        f"{user_name(owner)} may not use {file}, and root has the rights of that user there. Give them, also to the "
        f"directory and to {file.name}.lock in it."
    )


def _usage_problem(name: str, rest: Sequence[str]) -> str | None:
    if name not in _ACTIONS:
        near = difflib.get_close_matches(name, _ACTIONS, n=1)
        meant = f" Did you mean {near[0]}?" if near else ""
        return f"there is no action {name!r}.{meant} The actions are list and forget."
    if name == "list" and rest:
        return "`list` takes nothing else."
    if name == "forget" and not rest:
        return f"`forget` needs an address. `{PROGRAM} list` shows them."
    if wrong := next((word for word in rest if parse_name(word) is None), None):
        return f"{wrong!r} is no address. Write it as `{PROGRAM} list` does: 10.0.0.1, or [10.0.0.1]:2222."
    return None


def _list(file: Path, lines: Sequence[Line], settings: HostKeysSettings) -> None:
    if settings.as_json or not sys.stdout.isatty():
        keys = [
            {
                "names": list(line.names),
                "type": line.key.type,
                "fingerprint": line.key.fingerprint,
                "comment": line.comment,
            }
            for line in lines
        ]
        print_json({"file": str(file), "host_keys": keys})
        return
    console = OutputConsole()
    if not lines:
        console.print(f"The worker has accepted no host keys yet ({file}).", markup=False)
        return
    rows = [
        (printable_line(",".join(line.names)), str(line.key), printable_line(line.comment)) for line in lines
    ]
    print_rows(console, ("address", "key", "comment"), rows)


def _tell_forgotten(file: Path, words: Sequence[str], removed: Sequence[Line]) -> int:
    for line in removed:
        print(f"Forgot {printable_line(','.join(line.names))} {line.key}.")
    if missing := [word for word in words if not any(map(_meaning([word]), removed))]:
        _say(
            f"No host key of {', '.join(missing)} is kept in {file}. `{PROGRAM} list` shows those that are. "
            "One in the file of --known-hosts is taken out there."
        )
        return EXIT_FAILED
    print("A worker that runs notices within two seconds.")
    return 0


def _meaning(words: Sequence[str]) -> Callable[[Line], bool]:
    """Return a test for the lines that `words` mean: an address on every port, or with a port only that one."""
    meant = [found for word in words if (found := parse_name(word)) is not None]

    def is_meant(line: Line) -> bool:
        for host, port in meant:
            if port is not None and line.matches(Endpoint(host, port)):
                return True
            if port is None and any(_host_of(name) == host for name in line.names):
                return True
            if port is None and line.matches(Endpoint(host, 22)):
                return True
        return False

    return is_meant


def _host_of(name: str) -> str | None:
    found = parse_name(name)
    return None if found is None else found[0]


def _say(message: str) -> None:
    print(f"{PROGRAM}: {message}", file=sys.stderr)
