"""The life of one child: rehearse, wait for one order, get ready for it, run it, send its outcome, end."""

import contextlib
import os
import resource
import tempfile
from collections.abc import Iterable
from typing import NoReturn

from jobrunner.channel import Channel
from jobrunner.child_coverage import measured
from jobrunner.containment import limit_open_files
from jobrunner.group_filter import ask_before_leaving_the_group
from jobrunner.isolation.child import ChildIsolation
from jobrunner.isolation.errors import IsolationError
from jobrunner.job import end_at_once, run_order
from jobrunner.logs import capture_logs
from jobrunner.protocol import kernel_files, linux
from jobrunner.protocol.caps import ORDER_CAP_BYTES
from jobrunner.protocol.entry import Descriptors
from jobrunner.protocol.messages import Join, NotIsolated, Order, Ready, to_child
from jobrunner.rehearsal import rehearse
from jobrunner.stdio import flush_output, unbuffer_output


def live(
    descriptors: Descriptors,
    max_open_files: int | None,
    isolation: ChildIsolation,
    *,
    rehearses: bool = True,
) -> NoReturn:
    """Run one job, if one comes. Ends the process without Python's exit handlers, which belong to the template.

    There is no rehearsal if a job waits for this child already, because the job would have to wait for that, too.
    """
    channel = Channel(descriptors.channel)
    unbuffer_output()
    if rehearses:
        rehearse()
    try:
        _get_ready(channel)
        limit_open_files(max_open_files)
        frame = channel.receive(ORDER_CAP_BYTES)
        order = to_child(frame)
        if isinstance(order, Join):
            _join(os.fsdecode(frame.payload).split("\0"))
            channel.send(_ready())
            order = to_child(channel.receive(0))
    except (EOFError, OSError):
        os._exit(0)
    if not isinstance(order, Order):
        os._exit(0)
    # The claim may not be on the disk yet. Nothing of the block can run before its payload, which comes after that.
    move_in(order)
    try:
        isolation.close_files(order.job_directory)
    except IsolationError:
        with contextlib.suppress(OSError):
            channel.send(NotIsolated())
        raise
    isolation.hint()
    capture_logs(channel, order)
    linux.set_process_name("neops-job")
    with measured() as is_measured:
        if not is_measured:
            end_at_once(_end)
        run_order(channel, order)
    _end()


def _end() -> NoReturn:
    flush_output()
    os._exit(0)


def _get_ready(channel: Channel) -> None:
    """Report that this child is ready, with the descriptor that answers for its process groups, before a block runs."""
    listener = ask_before_leaving_the_group()
    if listener is None:
        channel.send(_ready())
        return
    channel.send_with(listener, _ready())
    os.close(listener)


def _ready() -> Ready:
    used = resource.getrusage(resource.RUSAGE_SELF)
    cpu_seconds = used.ru_utime + used.ru_stime
    return Ready(pid=os.getpid(), cpu_seconds=cpu_seconds, peak_memory_kb=used.ru_maxrss)


def _join(cgroups: Iterable[str]) -> None:
    """Make these cgroups, and move this process into each.

    If that fails, the supervisor notices it, tries it itself, and reports why it is not possible.
    """
    for directory in cgroups:
        with contextlib.suppress(OSError):
            os.mkdir(directory, 0o755)
            kernel_files.write(f"{directory}/{kernel_files.CGROUP_PROCESSES}", "0")


def _make_anew(directory: str) -> None:
    """Make a directory, and those above it, for this user alone. Raises `OSError`."""
    if (above := os.path.dirname(directory)) and not os.path.isdir(above):
        _make_anew(above)
    with contextlib.suppress(FileExistsError):  # the supervisor does the same
        os.mkdir(directory, 0o700)


def move_in(order: Order) -> None:
    """Make the job's own directory its home, its directory for temporary files and its working directory."""
    try:
        os.chdir(order.job_directory)
    except (
        FileNotFoundError
    ):  # it was made ahead, and since then somebody has removed it, or the whole state directory
        _make_anew(order.job_directory)
        os.chdir(order.job_directory)
    os.environ.update(HOME=order.job_directory, TMPDIR=order.job_directory)
    # tempfile remembers its answer from the template, which had other directories.
    tempfile.tempdir = None
