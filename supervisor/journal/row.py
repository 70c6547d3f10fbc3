"""A claim's row: the entry in memory, and how far the file is behind it."""

from dataclasses import dataclass, field

from supervisor.journal.records import Entry


@dataclass(slots=True, eq=False)
class Row:
    """An entry and its copy in the file: that is behind while `saved` is lower than `version`."""

    entry: Entry
    version: int = 1
    saved: int = 0
    gone: bool = False
    """Whether the engine has its result, so that only the file's row is left to be removed."""
    earlier: bool = False
    """Whether an earlier run claimed it, so that nobody in this process works on it."""
    tried_before: bool = False
    """Whether somebody may have sent its result already, without this being known for sure."""
    is_foreseen: bool = False
    """Whether its result is what its job will most likely have, and not to be sent yet."""

    def change(self, entry: Entry) -> None:
        """Replace the entry, perhaps by itself: the file is behind now."""
        self.entry = entry
        self.version += 1


@dataclass(frozen=True, slots=True)
class Differences:
    """What somebody else has done to the file. `unclear` tells that a row was being written meanwhile."""

    revived: list[Entry] = field(default_factory=list)
    dropped: list[Entry] = field(default_factory=list)
    rewritten: list[Row] = field(default_factory=list)
    wanted: list[Row] = field(default_factory=list)
    """Dead letters that are to be sent again, once their results are read: the file alone has them."""
    unclear: bool = False
