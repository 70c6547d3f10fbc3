"""Which journal is meant: the daemon's, or that of the worker which `supervisor local` runs."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from supervisor.commands.local.places import WORKER_DIRECTORY, local_state_directory
from supervisor.commands.shared.service_places import service_state_directories
from supervisor.journal.directory import FILE_NAME
from supervisor.journal.offline import JournalAccessError, journal_in
from supervisor.settings.files import default_state_directory


@dataclass(frozen=True, slots=True)
class Found:
    """The journal that is meant, and others that may be meant."""

    path: Path
    others: tuple[Path, ...] = ()
    is_of_a_service: bool = False
    """Nobody has named it, and commands of this user don't keep one there."""


def find_journal(given: Path | None) -> Found:
    """Return the journal in the `given` directory, otherwise in those where commands keep one by default.

    A directory of `supervisor local` holds the journal of its worker. Raises `JournalAccessError` if there is none.
    """
    directories = worker_directories(given)
    seen = {directory: _holds_one(directory) for directory in directories}
    # If there is another journal, a user does not mean one that the user may not read.
    found = [each for each, holds in seen.items() if holds] or [
        each for each, holds in seen.items() if holds is None
    ]
    if not found:
        raise JournalAccessError(
            f"There is no journal in {_listed(directories)}. Give the worker's own directory with --state-dir."
        )
    first, *others = map(journal_in, found)
    is_of_a_service = given is None and not _is_own(found[0])
    return Found(first, tuple(others) if given is None else (), is_of_a_service)


def worker_directories(given: Path | None) -> list[Path]:
    """Return where a worker may have its state: below the `given` directory, or where commands and services do."""
    own = [default_state_directory(), local_state_directory()]
    places = [*own, *service_state_directories()] if given is None else [given]
    return list(dict.fromkeys(each for place in places for each in (place, place / WORKER_DIRECTORY)))


def _is_own(directory: Path) -> bool:
    own = (default_state_directory(), local_state_directory())
    return directory in own or directory.parent in own


def _holds_one(directory: Path) -> bool | None:
    """Whether a journal is there; `None` if this user may not see it. If it is chosen, the message says so."""
    try:
        os.stat(directory / FILE_NAME)
    except PermissionError:
        return None
    except OSError:
        return False
    return True


def _listed(directories: Iterable[Path]) -> str:
    *most, last = map(str, directories)
    return f"{', '.join(most)} or {last}"
