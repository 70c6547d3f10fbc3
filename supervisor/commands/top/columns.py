"""The columns, their cells, and which of them fit: pure, from jobs to cells."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len

from supervisor.commands.top.snapshot import JobShown

GAP: Final = 2
LAST_LINE: Final = "last line"
_LAST_LINE_CELLS: Final = 20
_ID_CELLS: Final = 8
_NEAR: Final = 0.8
_RUNNING: Final = "running"
_MIB: Final = 2**20

ShareOf = Callable[[str], float | None]


@dataclass(frozen=True, slots=True)
class Cell:
    """The text of one place, and whether a person should look at it."""

    text: str
    is_alarming: bool = False


@dataclass(frozen=True, slots=True)
class Column:
    """A column with a cell for each job. `cells_wide` is its width in characters on a terminal."""

    title: str
    cells: tuple[Cell, ...]
    right: bool = False

    @property
    def cells_wide(self) -> int:
        """Return the width of its widest cell."""
        return max([cell_len(self.title), *(cell_len(cell.text) for cell in self.cells)])


def columns_for(jobs: Sequence[JobShown], share_of: ShareOf, width: int | None) -> list[Column]:
    """Return the columns that fit into `width`, in their order; `None`: all of them, uncut.

    The columns that matter least while all is well are left out first. Job, block and time are always there.
    """
    columns = _all(jobs, share_of)
    if width is None:
        return columns
    if _sum(columns) > width:
        columns = [_short_ids(each) if each.title == "job" else each for each in columns]
    all_run = ("state",) if all(job.state == _RUNNING for job in jobs) else ()
    for title in ("tasks", "pid", "slot", *all_run, LAST_LINE):
        if _sum(columns) <= width:
            return columns
        columns = _without(columns, title)
    for title in ("CPU", "state", "memory", "stall"):
        if _sum(columns) <= width:
            break
        columns = _without(columns, title)
    return columns


def _all(jobs: Sequence[JobShown], share_of: ShareOf) -> list[Column]:
    def column(title: str, cell: Callable[[JobShown], Cell], *, right: bool = False) -> Column:
        return Column(title, tuple(map(cell, jobs)), right)

    return [
        column("slot", lambda job: Cell(_text(job.slot)), right=True),
        column("job", lambda job: Cell(job.job_id)),
        column("block", lambda job: Cell(_short_block(job.block))),
        column("state", lambda job: Cell(job.state)),
        column("time", _time, right=True),
        column("memory", _memory, right=True),
        column("CPU", lambda job: Cell(_cpu(job, share_of(job.job_id))), right=True),
        column("stall", _stall, right=True),
        column("tasks", lambda job: Cell(_text(job.tasks)), right=True),
        column("pid", lambda job: Cell(_text(job.pid)), right=True),
        column(LAST_LINE, lambda job: Cell(job.last_line)),
    ]


def _without(columns: list[Column], title: str) -> list[Column]:
    return [each for each in columns if each.title != title]


def _sum(columns: Sequence[Column]) -> int:
    """Return the width of all of them. The last line is cut to the rest, if enough is left to make sense."""
    wide = [_LAST_LINE_CELLS if each.title == LAST_LINE else each.cells_wide for each in columns]
    return sum(wide) + GAP * (len(wide) - 1)


def _short_ids(column: Column) -> Column:
    """Return the ids cut at their end; or at their beginning, if they begin alike (with a time)."""
    ids = [cell.text for cell in column.cells]
    short = [each[:_ID_CELLS] for each in ids]
    if len(set(short)) < len(set(ids)):
        short = [each if len(each) <= _ID_CELLS else f"…{each[1 - _ID_CELLS :]}" for each in ids]
    return Column(column.title, tuple(map(Cell, short)))


def _text(value: int | None) -> str:
    return "" if value is None else str(value)


def _short_block(block: str) -> str:
    """Return the name of a block without its package and version, which are mostly the same."""
    return block.partition(":")[0].rpartition("/")[2] or block


def _time(job: JobShown) -> Cell:
    if job.limit_seconds is None:
        return Cell(f"{job.seconds:.0f} s")
    is_near = job.seconds > _NEAR * job.limit_seconds
    return Cell(f"{job.seconds:.0f}/{job.limit_seconds:.0f} s", is_near)


def _memory(job: JobShown) -> Cell:
    if job.memory_bytes is None:
        return Cell("")
    used = f"{job.memory_bytes / _MIB:.0f}"
    if not job.memory_limit_bytes:
        return Cell(f"{used} MB")
    is_near = job.memory_bytes > _NEAR * job.memory_limit_bytes
    return Cell(f"{used}/{job.memory_limit_bytes / _MIB:.0f} MB", is_near)


def _cpu(job: JobShown, share: float | None) -> str:
    """Return the share of a processor. As long as it is not known, return the total processor time."""
    if share is not None:
        return f"{share * 100:.0f} %"
    return "" if job.cpu_seconds is None else f"{job.cpu_seconds:.1f} s"


def _stall(job: JobShown) -> Cell:
    return Cell("") if job.stalled_seconds is None else Cell(f"{job.stalled_seconds:.0f} s", is_alarming=True)
