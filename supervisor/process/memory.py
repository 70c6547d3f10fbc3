"""The memory of one job's processes: the sum, and the kernel's figures in it.

Why this sum and no other: `docs/adr/0027`.
"""

import random
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from jobrunner.protocol import kernel_files
from supervisor.process.proc import status_of
from supervisor.process.shared_memory import Budget, FileId, files_held, mapped_of

_KILOBYTE: Final = 1024
_WORTH_A_LOOK_BYTES: Final = 2**20
"""For less shared memory it is not worth asking which part is a mapped file: that is a walk over all maps."""

LOOK_SECONDS: Final = 0.5
"""After so long, a look at one job looks at no further process."""

MAPS_BYTES: Final = 2**20
"""How much of the full maps one look reads: about 1,300 mappings."""


@dataclass(slots=True)
class Inherited:
    """Anonymous memory that a process has from its birth, because it is a fork of a process with that memory.

    `others_have_it`: whether its original still lives. Then none of this memory is private.
    """

    anonymous_bytes: int = 0
    others_have_it: bool = True


NOTHING_INHERITED: Final = Inherited()


@dataclass(slots=True)
class Inheritance:
    """The memory that one job has `inherited`, and how much of it the looks saw while all of it was shared.

    When the original process has ended, these pages are private to the job, or shared only with its siblings. Then
    nothing shows which pages they are. A page that the job has written to is a copy, and belongs to the job.
    """

    inherited: Inherited
    _shared_bytes: tuple[int, ...] = ()

    @property
    def untouched_bytes(self) -> int:
        """How much of the inherited memory the job has not changed, at most. All of it before the first look."""
        return min((self.inherited.anonymous_bytes, max(self._shared_bytes, default=2**63)))

    def seen(self, shared_bytes: int) -> None:
        """Note how much anonymous memory was shared. The last two looks count: the original may end during the last."""
        self._shared_bytes = (*self._shared_bytes[-1:], shared_bytes)


@dataclass(frozen=True, slots=True)
class Mapped:
    """What one process, or a whole job, has mapped. Of a page that n processes have, `…_share` counts 1/n."""

    private_bytes: int = 0
    anonymous_share_bytes: int = 0
    shared_memory_share_bytes: int = 0
    least_shared_anonymous_bytes: int = 0
    """Anonymous memory that other processes have too: the least, and the most that it can be."""
    most_shared_anonymous_bytes: int = 0

    def __add__(self, other: "Mapped") -> "Mapped":
        return Mapped(
            self.private_bytes + other.private_bytes,
            self.anonymous_share_bytes + other.anonymous_share_bytes,
            self.shared_memory_share_bytes + other.shared_memory_share_bytes,
            # Both may have the same memory.
            max(self.least_shared_anonymous_bytes, other.least_shared_anonymous_bytes),
            self.most_shared_anonymous_bytes + other.most_shared_anonymous_bytes,
        )


def memory_of(
    pids: Iterable[int], inheritance: Inheritance | None = None, *, maps_bytes: int = MAPS_BYTES
) -> tuple[int, OSError | None]:
    """Return how many bytes the processes of one job hold together, and why a part could not be seen, if so.

    Walks over their page tables: don't call it on the loop. A process that has ended meanwhile counts nothing. Raises
    `OSError` if nothing could be seen.

    If there is more to read than a look may cost (`LOOK_SECONDS`, `maps_bytes`), the job holds at least the returned
    figure.
    """
    inheritance = inheritance or Inheritance(NOTHING_INHERITED)
    pids = list(pids)
    random.shuffle(pids)  # if there is no time for all, it looks at others each time
    budget = Budget(maps_bytes, time.monotonic() + LOOK_SECONDS)
    mapped: dict[int, Mapped] = {}
    missed: OSError | None = None
    files: dict[FileId, int] = {}  # each file once, however many processes have it open
    for pid in pids:
        if mapped and budget.late:
            break
        try:
            mapped[pid] = mapped_by(pid)
            files |= files_held(pid, len(pids))
        except (FileNotFoundError, ProcessLookupError):
            continue
        except OSError as error:
            missed = error
    total = sum(mapped.values(), Mapped())
    if missed is not None and total == Mapped():
        raise missed
    files_bytes, of_files = sum(files.values()), Mapped()
    if min(files_bytes, total.shared_memory_share_bytes) > _WORTH_A_LOOK_BYTES:
        of_files = _mapped_of_files(mapped, files, budget)
    if len(mapped) == len(pids) and inheritance.inherited.others_have_it:
        inheritance.seen(total.most_shared_anonymous_bytes)
    return sum_of(total, files_bytes, of_files, inheritance, len(pids)), missed


def sum_of(
    total: Mapped, files_bytes: int, of_files: Mapped, inheritance: Inheritance, processes: int
) -> int:
    """Return what a job holds: the highest of three sums. None of them counts memory of others.

    `files_bytes` is the size of all files in memory that the job has open, `of_files` the part of `total` in these.
    """
    # All pages that the job alone has, each counted by the one process that has it.
    private = total.private_bytes + max(0, files_bytes - of_files.private_bytes)
    # The memory of one of its processes, and what the others have alone, without what is unchanged from the template.
    # That part may be private now, or shared with siblings: this sum stays the same.
    untouched = inheritance.untouched_bytes
    distinct = private + total.least_shared_anonymous_bytes - untouched
    # All memory of its processes, private or shared, without what they may have from the template. The template's
    # share shrinks and grows with the number of other processes.
    shares = (
        total.anonymous_share_bytes
        + max(0, total.shared_memory_share_bytes - of_files.shared_memory_share_bytes)
        + files_bytes
    )
    if not inheritance.inherited.others_have_it:
        return max(distinct, shares - untouched, 0)
    template_share = inheritance.inherited.anonymous_bytes * processes // (processes + 1)
    return max(private, distinct if untouched else 0, shares - template_share, 0)


def mapped_by(pid: int) -> Mapped:
    """Return what a process has mapped. Raises `OSError`; `ProcessLookupError` if it has ended."""
    try:
        sizes = _sizes(kernel_files.read(f"/proc/{pid}/smaps_rollup"))
    except PermissionError:
        return _mapped_as_all_may_know(pid)
    dirty, anonymous, shared_memory = (
        sizes.get(key, 0) for key in ("Private_Dirty", "Anonymous", "Pss_Shmem")
    )
    private = sizes.get("Private_Clean", 0) + dirty
    return Mapped(
        private,
        sizes.get("Pss_Anon", 0),
        shared_memory,
        # The kernel does not say how much of the private memory is anonymous. Of the clean pages it is those that were
        # swapped out, of the dirty pages all but shared memory.
        max(0, anonymous - private),
        max(0, anonymous - max(0, dirty - shared_memory)),
    )


def _mapped_as_all_may_know(pid: int) -> Mapped:
    """For another user's process, without CAP_SYS_PTRACE: all but files. This counts the template's pages too."""
    anonymous, shared = (resident_bytes(pid, kind) for kind in ("RssAnon", "RssShmem"))
    return Mapped(anonymous + shared, anonymous, shared)


def resident_bytes(pid: int, kind: str = "RssAnon") -> int:
    """Return a size from /proc/<pid>/status in bytes, 0 if there is no such process."""
    return int(status_of(pid).get(kind, "0").split()[0]) * _KILOBYTE


def _mapped_of_files(mapped: Mapping[int, Mapped], files: Mapping[FileId, int], budget: Budget) -> Mapped:
    """Return what the processes have mapped of `files`. If a process's maps are not read, the most that it can be."""
    total = Mapped()
    for pid, whole in mapped.items():
        try:
            found = None if budget.spent else mapped_of(pid, files, budget)
        except OSError:
            found = None  # it has ended, or its maps can't be read
        private, share = found or most_of_files(whole)
        total += Mapped(private, 0, share)
    most = sum(files.values())
    return Mapped(min(total.private_bytes, most), 0, min(total.shared_memory_share_bytes, most))


def most_of_files(whole: Mapped) -> tuple[int, int]:
    """Return how much of a process's private memory, and of its share of shared memory, can be files at most."""
    return min(whole.private_bytes, whole.shared_memory_share_bytes), whole.shared_memory_share_bytes


def _sizes(content: bytes) -> dict[str, int]:
    """Read lines such as `Pss_Anon:    6668 kB`. The first line, with addresses, does not match."""
    fields = (line.split() for line in content.decode(errors="replace").splitlines())
    return {
        each[0][:-1]: int(each[1]) * _KILOBYTE for each in fields if len(each) == 3 and each[0].endswith(":")
    }
