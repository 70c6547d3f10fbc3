"""A claim's row: the entry in memory, and whether the file has its current state."""

from dataclasses import dataclass, field

from supervisor.journal.records import Entry


@dataclass(slots=True, eq=False)
class Row:
    """An entry and its copy in the file. The file is out of date while `saved` is lower than `version`."""

    entry: Entry
    version: int = 1
    saved: int = 0
    gone: bool = False
    """Whether the engine has its result. Then only the row in the file must still be removed."""
    earlier: bool = False
    """Whether an earlier run claimed it. Then nobody in this process works on it."""
    tried_before: bool = False
    """Whether somebody may have sent its result already. It is not known for sure."""
    is_foreseen: bool = False
    """Whether its result is only expected: its job will most likely have it. Don't send it yet."""

    def change(self, entry: Entry) -> None:
        """Replace the entry, perhaps by itself. The file is out of date now."""
        self.entry = entry
        self.version += 1


@dataclass(frozen=True, slots=True)
class Differences:
    """Changes that somebody else made to the file. `unclear`: a row was being written meanwhile."""

    revived: list[Entry] = field(default_factory=list)
    dropped: list[Entry] = field(default_factory=list)
    rewritten: list[Row] = field(default_factory=list)
    wanted: list[Row] = field(default_factory=list)
    """Dead letters to send again, as soon as their results are read: only the file has them."""
    unclear: bool = False
