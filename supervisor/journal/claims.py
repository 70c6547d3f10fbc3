"""The open claims in memory, and which of them are not saved in the file yet. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from supervisor.journal.dead_texts import DeadTexts, is_held, is_text_there
from supervisor.journal.records import Claim, Entry, RowState, StoredResult
from supervisor.journal.row import Differences, Row
from supervisor.journal.superseded_results import superseded


class Claims:
    """Every claim whose result the engine does not have. Memory is the truth; the file is its durable copy."""

    def __init__(self) -> None:
        self.file = 0
        """The number of the file that has the rows' copies. It counts up when a file is lost."""
        self._rows: dict[int, Row] = {}
        self._since_the_start: set[str] | None = set()
        """The jobs claimed before the claims of the earlier run were known; `None` after that."""
        self._has_unreported = False
        """Whether an earlier run may have left claims without a result."""
        self._next = 1
        self._dead_texts = DeadTexts()
        self._replacements: set[int] = set()
        """Numbers of entries that replace results which the engine has refused."""

    def add(self, claims: Iterable[Claim]) -> list[Row]:
        """Open claims and give them numbers, which are never used again."""
        added: list[Row] = []
        for claim in claims:
            row = Row(Entry(self._next, claim))
            self._rows[self._next] = row
            self._next += 1
            added.append(row)
        if self._since_the_start is not None:
            self._since_the_start.update(row.entry.claim.job_id for row in added)
        return added

    def foresee(self, number: int, text: bytes, now: float) -> Row | None:
        """Set the result that a claim will have if nothing else happens to its job, unless it has one."""
        row = self._open(number)
        if row is None or row.entry.size is not None:
            return None
        row.is_foreseen = True
        row.change(replace(row.entry, result=text, finished_at=now))
        return row

    def finish(self, number: int, text: bytes, now: float) -> Row | None:
        """Set a claim's result, unless it has one: a result is never contradicted (I8).

        It replaces a result that was only foreseen. Returns the row to save; `None` if the text is the same.
        """
        row = self._open(number)
        if row is None or (row.entry.size is not None and not row.is_foreseen):
            return None
        row.is_foreseen = False
        if row.entry.result == text:
            return None
        row.change(replace(row.entry, result=text, finished_at=now))
        return row

    def forget(self, number: int) -> Row | None:
        """Close a claim."""
        row = self._open(number)
        if row is not None:
            row.gone = True
            # Its result is not needed any more, even if the removal of its row must wait for the disk.
            row.change(replace(row.entry, result=None, absent_bytes=None))
            self._dead_texts.forget(number)
        return row

    def mark_dead(self, number: int, reason: str) -> Row | None:
        """Make a claim's result a dead letter."""
        row = self._open(number)
        if row is not None:
            row.change(replace(row.entry, dead_reason=reason))
        return row

    def replace_refused(self, number: int, reason: str, text: bytes, now: float) -> list[Row]:
        """Make a claim's result a dead letter, and make `text` the result of a new entry for the same claim.

        Returns both rows, the new one first. Save them in one transaction: a kill must not leave a claim with neither.
        """
        row = self._open(number)
        if row is None:
            return []
        (new,) = self.add([row.entry.claim])
        new.entry = replace(new.entry, result=text, finished_at=now)
        self._replacements.add(new.entry.number)
        row.change(replace(row.entry, dead_reason=reason, replaced_by=new.entry.number))
        return [new, row]

    def set_aside(self, number: int, reason: str) -> Row | None:
        """Keep a claim of an earlier run without reporting it, unless it has a result now."""
        row = self._open(number)
        if row is None or not row.earlier or row.entry.state != "running":
            return None
        row.change(replace(row.entry, dead_reason=reason))
        return row

    def numbers_above(self, highest: int) -> None:
        """From now on, give only numbers above `highest`."""
        self._next = max(self._next, highest + 1)

    def adopt(self, entries: Sequence[Entry], highest: int, unsaved: set[int]) -> list[Entry]:
        """Take in the entries of earlier runs. Returns those that must not stay in the file as they are.

        `unsaved` are the numbers of entries that the file in use does not have in this form. Claims that are in memory
        already are of this run. If they were made while the file could not be read, a number may exist twice.

        If this run has claimed a job again, the engine gave the earlier try up. Its entry is over: the engine would
        take its result for the result of the new try (engine contract: retries). A dead letter stays.
        """
        self.numbers_above(highest)
        claimed_again, self._since_the_start = self._since_the_start or set(), None
        replaced: list[Entry] = []
        adopted: list[Row] = []
        moved: dict[int, int] = {}
        for entry in entries:
            if entry.state != "dead" and entry.claim.job_id in claimed_again:
                replaced.append(entry)
                continue
            number, is_saved = entry.number, entry.number not in unsaved
            if number in self._rows:
                replaced.append(entry)
                number, is_saved = self._next, False
                moved[entry.number] = number
                self._next += 1
            self._has_unreported = self._has_unreported or entry.size is None
            row = Row(replace(entry, number=number), saved=int(is_saved), earlier=True, tried_before=True)
            self._rows[number] = row
            adopted.append(row)
        for row in adopted:
            self._adopt_replacement(row, moved)
            self.saved(row, row.saved)
        return replaced

    def _adopt_replacement(self, row: Row, moved: Mapping[int, int]) -> None:
        number = row.entry.replaced_by
        if number is None:
            return
        if number in moved:
            number = moved[number]
            row.change(replace(row.entry, replaced_by=number))
        self._replacements.add(number)

    def compare(self, seen: Iterable[RowState]) -> Differences:
        """Apply what a person has done to dead letters, and find rows of this worker that somebody removed."""
        found = {row.number: row.is_dead for row in seen}
        differences = Differences()
        unclear = False
        for number, row in list(self._rows.items()):
            if row.saved != row.version:
                unclear = True
            elif number not in found:
                if row.entry.dead_reason is not None:
                    del self._rows[number]
                    self._dead_texts.forget(number)
                    differences.dropped.append(row.entry)
                else:
                    row.change(row.entry)
                    differences.rewritten.append(row)
            elif row.entry.dead_reason is not None and not found[number]:
                if row.entry.absent_bytes is not None:
                    differences.wanted.append(row)
                    continue
                self._dead_texts.forget(number)
                row.entry = replace(row.entry, dead_reason=None)
                row.earlier = row.tried_before = True
                differences.revived.append(row.entry)
        return replace(differences, unclear=unclear)

    def compare_with_file(self, entries: Iterable[Entry]) -> list[Entry]:
        """Mark rows as unsaved that a file which was opened again does not hold in this form.

        If somebody has requeued a dead letter meanwhile, `compare` handles it. Returns the entries that are lost:
        only the old file had their results, and this file does not have them.
        """
        held = {entry.number: entry for entry in entries}
        lost: list[Entry] = []
        for number, row in list(self._rows.items()):
            kept = held.get(number)
            if row.entry.absent_bytes is not None and not is_text_there(kept, row.entry):
                lost.append(self._rows.pop(number).entry)
            elif not is_held(kept, row.entry):
                row.saved = 0
        return lost

    def take_texts(self, entries: Iterable[Entry]) -> None:
        """Take results of dead letters that only the file had from the entries that were read from it."""
        for entry in entries:
            row = self._rows.get(entry.number)
            if row is None or row.entry.absent_bytes is None or entry.result is None:
                continue
            if is_text_there(entry, row.entry):
                row.entry = replace(row.entry, result=entry.result, absent_bytes=None)

    def lose_file(self) -> None:
        """The file is not in use any more: nothing is saved, and no row must be removed from it."""
        self.file += 1
        for number, row in list(self._rows.items()):
            row.saved = 0
            if row.gone:
                del self._rows[number]

    def saved(self, row: Row, version: int, *, in_file: bool = True) -> None:
        """Note that the file has a row as it was at `version`; `in_file=False`: the file will never have it."""
        row.saved = max(row.saved, version)
        if in_file and version == row.version and self._rows.get(row.entry.number) is row:
            row.entry = self._dead_texts.in_file(row.entry)
        if row.gone and row.saved == row.version and self._rows.get(row.entry.number) is row:
            del self._rows[row.entry.number]

    def unsaved(self) -> list[Row]:
        """Return the rows whose current state is not in the file, oldest first, but dead letters last.

        They are saved one by one: when the file has a dead letter, it must have the row that replaces it already.
        """
        rows = [row for row in self._rows.values() if row.saved < row.version]
        return sorted(rows, key=lambda row: row.entry.state == "dead")

    def interrupted(self) -> list[Entry]:
        """Return claims of an earlier run without a result, oldest first."""
        return [row.entry for row in self._open_rows() if row.earlier and row.entry.state == "running"]

    def unreported(self, job_ids: set[str]) -> list[int]:
        """Return the claims of an earlier run on these jobs that have no result."""
        if not self._has_unreported:
            return []
        return [
            row.entry.number
            for row in self._open_rows()
            if row.earlier and row.entry.size is None and row.entry.claim.job_id in job_ids
        ]

    def undelivered(self) -> list[StoredResult]:
        """Return results that the engine does not have yet, in the order in which they were made.

        Not those that are `superseded`.
        """
        left_out = self.superseded()
        waiting = [row for row in self._open_rows() if row.entry.state == "waiting" and not row.is_foreseen]
        waiting = [row for row in waiting if row.entry.number not in left_out]
        waiting.sort(key=lambda row: (row.entry.finished_at or row.entry.claim.claimed_at, row.entry.number))
        return [self._stored(row, row.entry.result or b"") for row in waiting]

    def superseded(self) -> dict[int, int]:
        """Return undelivered results whose jobs were claimed again, by number, each with the later claim."""
        found = superseded([row.entry for row in self._open_rows()])
        return {number: later for number, later in found.items() if not self._rows[number].is_foreseen}

    def result(self, number: int) -> StoredResult | None:
        """Return a claim's result, but not one that is only foreseen."""
        row = self._open(number)
        if row is None or row.entry.result is None or row.is_foreseen:
            return None
        return self._stored(row, row.entry.result)

    def _stored(self, row: Row, text: bytes) -> StoredResult:
        entry = row.entry
        return StoredResult(
            entry.number,
            entry.claim.job_id,
            text,
            row.tried_before,
            replaces=entry.number in self._replacements,
            replaced=entry.replaced_by is not None,
        )

    def job_ids(self) -> set[str]:
        """Return the jobs whose result the engine does not have, with dead letters, without those set aside."""
        rows = self._rows.values()
        return {row.entry.claim.job_id for row in rows if not row.gone and row.entry.state != "set aside"}

    def count(self) -> tuple[int, int]:
        """Return how many claims there are, and how many of them are dead letters. The time grows with their number."""
        dead = [row.entry.state == "dead" for row in self._rows.values() if not row.gone]
        return len(dead), sum(dead)

    def results_in_memory_only(self) -> int:
        """Return how many results would be lost with this process."""
        return sum(1 for row in self.unsaved() if row.entry.result is not None and not row.gone)

    def _open_rows(self) -> list[Row]:
        rows = [row for row in self._rows.values() if not row.gone]
        return sorted(rows, key=lambda row: row.entry.number)

    def _open(self, number: int) -> Row | None:
        row = self._rows.get(number)
        return None if row is None or row.gone else row
