"""`supervisor journal adopt`: a person says that a state directory is not a copy, but was moved here on purpose."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from supervisor.errors import SupervisorError
from supervisor.journal import Entry
from supervisor.journal.directory import is_in_use
from supervisor.journal.offline import read_entries, read_facts, take_back
from supervisor.journal.place_record import KEY_FACT
from supervisor.journal.state_directory import StateDirectory
from supervisor.journal.uuid_backup import FILE as UUID_FILE
from supervisor.journal.uuid_backup import UuidBackup

_WARNING: Final = (
    "Do this only if no other worker has a copy of this directory, or that worker will never run again: two workers "
    "with one registration report each other's running jobs as failed."
)


class _Place:
    """A state directory. In another user's directory, root works with that user's rights.

    So new files belong to the owner, who can use them. And no link of the owner's leads root to another place.
    """

    def __init__(self, directory: Path, descriptor: int) -> None:
        self._directory = directory
        self._owner = os.fstat(descriptor)
        self._is_others = os.geteuid() == 0 and self._owner.st_uid != 0
        # Not by its name: the path to a service's is below a directory that only root may enter (/var/lib/private).
        self.path = Path(f"/proc/self/fd/{descriptor}") if self._is_others else directory

    @contextlib.contextmanager
    def as_its_owner(self) -> Iterator[None]:
        """Take the owner's rights meanwhile. Raises `SupervisorError`, also for an `OSError`."""
        try:
            with self._rights() if self._is_others else contextlib.nullcontext():
                yield
        except SupervisorError as error:
            raise SupervisorError(str(error).replace(str(self.path), str(self._directory))) from error
        except OSError as error:
            raise SupervisorError(f"{self._directory} can't be written: {error.strerror}.") from error

    @contextlib.contextmanager
    def _rights(self) -> Iterator[None]:
        group, groups = os.getegid(), os.getgroups()
        try:
            os.setgroups([])
            os.setegid(self._owner.st_gid)
            # Not the real user id: the owner must not be able to signal this process.
            os.seteuid(self._owner.st_uid)
            yield
        finally:
            os.seteuid(0)
            os.setegid(group)
            os.setgroups(groups)


def adopt(journal: Path, *, really: bool) -> bool:
    """Print what adopting the journal's directory means, and with `really` do it. Returns whether all is in order.

    Raises `SupervisorError` while a worker uses it, and for any obstacle.
    """
    directory = journal.parent
    if is_in_use(directory):
        raise SupervisorError(f"A worker runs on {directory}. Stop it, then adopt the directory.")
    try:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise SupervisorError(f"{directory} can't be opened: {error.strerror}.") from error
    try:
        return _adopt(journal, _Place(directory, descriptor), really=really)
    finally:
        os.close(descriptor)


def _adopt(journal: Path, place: _Place, *, really: bool) -> bool:
    directory = journal.parent
    with place.as_its_owner():
        held = StateDirectory(place.path)
        backup = UuidBackup(place.path / UUID_FILE).read()
    try:
        # By its own name: SQLite itself looks for the way to the file. For that it has the owner's rights too.
        facts = read_facts(journal)
        held.judge_journal(facts.get(KEY_FACT))
        entries = read_entries(journal)
        aside = [entry.number for entry in entries if entry.state == "set aside"]
        if held.doubt is None and not aside:
            print(f"{directory} belongs here already, and no claim is set aside. Nothing is to be done.")
            return True
        print(_plan(directory, held, entries, facts.get("worker_uuid") or backup))
        if not really:
            print(f"\n{_WARNING}\n\nNothing was changed. To do it, add --yes.")
            return False
        with place.as_its_owner():
            # A start in between finds a key that does not match, and doubts again.
            key = held.settle() if held.doubt is not None else held.key
        take_back(journal, {KEY_FACT: key}, aside)
    finally:
        held.close()
    print("\nDone. Start the worker.")
    return True


def _plan(directory: Path, held: StateDirectory, entries: list[Entry], uuid: str | None) -> str:
    open_claims = sum(entry.state in ("running", "set aside") for entry in entries)
    results = sum(entry.state == "waiting" for entry in entries)
    lines = [f"The state directory is {directory}."]
    if held.doubt is not None:
        lines += [f"It may be a copy: {held.doubt}.", "", "Adopting it means:"]
        lines.append("* It belongs to this machine and this place from now on.")
    else:
        lines += ["It belongs here. Claims were set aside when that was not sure.", "", "Adopting it means:"]
    if uuid is None:
        lines.append("* The worker registers as a new one: the directory holds no registration.")
    elif held.doubt is not None:
        lines.append(f"* At its next start the worker is worker {uuid} again.")
    else:
        lines.append(f"* The worker stays worker {uuid}.")
    if open_claims:
        lines.append(
            f"* {open_claims} claim(s) without a result are dealt with as after a crash: each job that the engine "
            "still waits for is reported as failed (worker_restarted)."
        )
    if results:
        lines.append(f"* {results} finished result(s) are sent, as they would be in any case.")
    return "\n".join(lines)
