"""`supervisor journal adopt`: a person says that a state directory is no copy, but was moved here on purpose."""

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


def adopt(journal: Path, *, really: bool) -> bool:
    """Print what adopting the journal's directory means, and with `really` do it. Returns whether all is in order.

    Raises `SupervisorError` while a worker runs on it, and for what stands in the way.
    """
    directory = journal.parent
    if is_in_use(directory):
        raise SupervisorError(f"A worker runs on {directory}. Stop it, then adopt the directory.")
    held = StateDirectory(directory)
    try:
        facts = read_facts(journal)
        held.judge_journal(facts.get(KEY_FACT))
        entries = read_entries(journal)
        aside = [entry.number for entry in entries if entry.state == "set aside"]
        if held.doubt is None and not aside:
            print(f"{directory} belongs here already, and no claim is set aside. Nothing is to be done.")
            return True
        uuid = facts.get("worker_uuid") or UuidBackup(directory / UUID_FILE).read()
        print(_plan(held, entries, uuid))
        if not really:
            print(f"\n{_WARNING}\n\nNothing was changed. To do it, add --yes.")
            return False
        try:
            # A start in between finds a key that does not fit, and doubts again.
            key = held.settle() if held.doubt is not None else held.key
        except OSError as error:
            raise SupervisorError(f"{directory} can't be written: {error.strerror}.") from error
        take_back(journal, {KEY_FACT: key}, aside)
    finally:
        held.close()
    print("\nDone. Start the worker.")
    return True


def _plan(held: StateDirectory, entries: list[Entry], uuid: str | None) -> str:
    open_claims = sum(entry.state in ("running", "set aside") for entry in entries)
    results = sum(entry.state == "waiting" for entry in entries)
    lines = [f"The state directory is {held.path}."]
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
