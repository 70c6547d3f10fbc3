"""What a job reaches, for each setting and kernel: the table that the documentation shows and `make isolation` proves.

A row is something that a job tries, by one attempt or several (`isolation_blocks`). A cell says what becomes of it on
one kernel: `open` or `closed`, or `root`: closed, but a kernel may let root (a worker that runs as root, without users
of their own for its jobs).
"""

from dataclasses import dataclass
from typing import Final

from tests.programs.isolation.columns import COLUMNS, Column

OPEN: Final = "open"
CLOSED: Final = "closed"
ROOT: Final = "root"
_LETTERS: Final = {"o": OPEN, "c": CLOSED, "r": ROOT}


@dataclass(frozen=True, slots=True)
class Row:
    """What a job tries, in words, the cells in the order of `COLUMNS`, and the attempts, each of which must agree."""

    what: str
    cells: str
    attempts: tuple[str, ...]

    def expected(self, column: Column) -> str:
        """What is stated for this column."""
        return _LETTERS[self.cells.split()[COLUMNS.index(column)]]


# Columns: off | off, no signal fence | kernel: 6.12 | 6.2 | 5.19 | 5.13 | no Landlock | no seccomp
ROWS: Final = (
    Row(
        "read the state directory: journal, host keys, also by a link or `/proc`",
        "o o  c c c c o c",
        ("read_state", "read_state_by_link", "read_state_by_root", "read_state_by_path_descriptor"),
    ),
    Row(
        "write, make, delete, rename or link files there",
        "o o  c c c c o c",
        (
            *("write_state", "create_state", "create_socket_state", "delete_state", "rename_state"),
            *("rename_all_of_state", "take_from_state", "link_state"),
        ),
    ),
    Row("read or write the token", "o o  c c c c o c", ("read_token", "write_token")),
    Row(
        "read or write files in another job's directory",
        "o o  c c c c o c",
        ("read_sibling", "write_sibling", "create_sibling", "delete_sibling"),
    ),
    Row(
        "write, make or delete files of the blocks",
        "o o  c c c c o c",
        ("write_blocks", "create_blocks", "delete_blocks"),
    ),
    Row(
        "write or make files of the interpreter and its packages",
        "o o  c c c c o c",
        ("write_packages", "write_interpreter"),
    ),
    Row(
        "empty any of these files by `truncate`, if its mode allows it",
        "o o  c c o o o c",
        ("truncate_state", "truncate_sibling", "truncate_blocks"),
    ),
    Row("leave its cgroup, or write to another one", "o o  c c c c o c", ("write_cgroup",)),
    Row("make files beside a closed or a read-only path", "o o  c c c c o c", ("create_beside",)),
    Row(
        "read another job's memory, or take its descriptors, by `/proc` or a pidfd",
        "c o  c c c c o c",
        ("sibling_mem", "sibling_descriptor", "sibling_file_by_root"),
    ),
    Row(
        "trace another job, or read it by `process_vm_readv`",
        "c o  c c c c c c",
        ("sibling_ptrace", "sibling_vm_readv"),
    ),
    Row("read the worker's memory", "c r  c c c c r c", ("worker_mem",)),
    # A process with CAP_PERFMON may read environments (Linux 6.14), past Landlock. No secret is in one.
    Row("read another job's environment", "r o  r r r r o r", ("sibling_environ",)),
    Row("read the worker's environment", "r r  r r r r r r", ("worker_environ",)),
    Row(
        "signal the worker or another job",
        "c o  c o o o o c",
        ("worker_signal", "sibling_signal", "sibling_thread_signal", "signal_by_owner"),
    ),
    Row(
        "change limits of the worker or of another job (`prlimit`)",
        "o o  c c c c c o",
        ("worker_limits", "sibling_limits"),
    ),
    Row(
        "change their priority, scheduling or processors",
        "o o  c c c c c o",
        (
            *("worker_priority", "sibling_priority", "everybody_s_priority", "worker_affinity"),
            *("sibling_affinity", "sibling_scheduler", "sibling_scheduler_by_attributes"),
            "worker_io_priority",
        ),
    ),
    # Root may give itself the limits again.
    Row(
        "take a real-time priority that limits of the user allow",
        "r r  r r r r r r",
        ("own_real_time_priority",),
    ),
    Row("make processes that are the worker's (`CLONE_PARENT`)", "o o  c c c c c o", ("clone_parent",)),
    Row(
        "read the keyring of the session that the worker was started in",
        "o o  c c c c c c",
        ("session_keyring",),
    ),
    Row("read keys of the worker's user", "o o  c c c c c o", ("user_keyring",)),
    Row(
        "connect to abstract sockets of the machine or of another job",
        "o o  c o o o o c",
        ("worker_abstract_socket", "sibling_abstract_socket"),
    ),
    Row("mount something, `ip netns exec`", "o o  c c c c o c", ("mount",)),
    Row(
        "trace, or change limits of, processes that it has started",
        "o o  c c c c c o",
        ("own_child_trace", "own_child_limits"),
    ),
    Row("move a file from one directory to another", "o o  o o o c o o", ("move_backup",)),
    Row(
        "write to a directory that was there when the worker started",
        "o o  o o o o o o",
        ("write_backup",),
    ),
    Row(
        "read its own blocks; list names; change modes and times, where the user may",
        "o o  o o o o o o",
        ("read_blocks", "list_state", "change_mode_of_state"),
    ),
    Row("connect to a socket that has a path", "o o  o o o o o o", ("socket_file",)),
    Row(
        "read `/dev/shm` and System V memory of another job",
        "o o  o o o o o o",
        ("shared_memory_files", "sibling_shared_memory_file", "sibling_segment"),
    ),
    Row(
        "use its own directory, priority, processes and sockets",
        "o o  o o o o o o",
        ("own_directory", "own_priority", "own_child_signal", "own_abstract_socket"),
    ),
)


def as_markdown() -> str:
    """Return the table as the documentation shows it."""
    head = ["what a job tries", *(column.title for column in COLUMNS)]
    lines = [_line(head), _line(["---"] * len(head))]
    lines += [_line([row.what, *(_SHOWN[row.expected(column)] for column in COLUMNS)]) for row in ROWS]
    return "\n".join(lines) + "\n"


_SHOWN: Final = {OPEN: "**open**", CLOSED: "closed", ROOT: "closed; root may"}


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
