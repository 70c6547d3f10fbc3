"""Which journal is meant: that of the daemon, or that of the worker which `supervisor local` runs."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from supervisor.commands.local.places import WORKER_DIRECTORY, local_state_directory
from supervisor.journal.directory import FILE_NAME
from supervisor.journal.offline import JournalAccessError, journal_in
from supervisor.settings.files import default_state_directory


@dataclass(frozen=True, slots=True)
class Found:
    """The journal that is meant, and others that may be."""

    path: Path
    others: tuple[Path, ...] = ()


def find_journal(given: Path | None) -> Found:
    """Return the journal in the directory that was `given`, else in those where commands keep one by default.

    A directory of `supervisor local` holds that of its worker. Raises `JournalAccessError` when there is none.
    """
    here = [default_state_directory(), local_state_directory()] if given is None else [given]
    directories = dict.fromkeys(each for place in here for each in (place, place / WORKER_DIRECTORY))
    found = [directory for directory in directories if _may_hold_one(directory)]
    if not found:
        raise JournalAccessError(
            f"There is no journal in {_listed(directories)}. Give the worker's own directory with --state-dir."
        )
    first, *others = map(journal_in, found)
    return Found(first, tuple(others) if given is None else ())


def _may_hold_one(directory: Path) -> bool:
    try:
        os.stat(directory / FILE_NAME)
    except PermissionError:  # which is told of the one that is chosen
        return True
    except OSError:
        return False
    return True


def _listed(directories: Iterable[Path]) -> str:
    *most, last = map(str, directories)
    return f"{', '.join(most)} or {last}"
