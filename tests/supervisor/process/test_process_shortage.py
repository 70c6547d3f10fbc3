"""What passes by itself when the machine has something to give again, and what helps meanwhile."""

import errno
import os

import pytest

from supervisor.process.shortage import explain, explain_refused_fork, is_shortage

SHORTAGES = {
    errno.EAGAIN: "ulimit -u",
    errno.EMFILE: "ulimit -n",
    errno.ENFILE: "fs.file-max",
    errno.ENOMEM: "more memory",
    errno.ETOOMANYREFS: "in sockets",
}


@pytest.mark.parametrize("number", SHORTAGES, ids=errno.errorcode.__getitem__)
def test_of_a_shortage_the_reason_and_the_remedy_are_told(number: int) -> None:
    error = OSError(number, "whatever")
    assert is_shortage(error)
    assert SHORTAGES[number] in explain(error)
    assert explain(error).startswith(f"{os.strerror(number)} ({errno.errorcode[number]}). ")


def test_a_thread_that_the_kernel_refuses_has_no_number_and_is_one_too() -> None:
    error = RuntimeError("can't start new thread")
    assert is_shortage(error)
    assert explain(error) == (
        "can't start new thread. Raise the limit of processes (ulimit -u, TasksMax of the systemd unit, pids.max)."
    )


def test_memory_that_python_does_not_get_is_told_as_the_kernel_would() -> None:
    assert is_shortage(MemoryError())
    assert explain(MemoryError()) == explain(OSError(errno.ENOMEM, ""))


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.EACCES, "x"),
        OSError("without a number"),
        RuntimeError("a mistake"),
        ValueError(errno.EMFILE),
    ],
    ids=repr,
)
def test_what_does_not_pass_is_none(error: Exception) -> None:
    assert not is_shortage(error)


def test_no_room_for_a_watch_is_told_apart_from_a_full_disk_and_is_not_waited_for_as_a_shortage() -> None:
    error = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert explain(error).startswith("No space left on device (ENOSPC). If no disk is full, ")
    assert "fs.epoll.max_user_watches" in explain(error)
    assert not is_shortage(error)


def test_where_nothing_helps_only_the_reason_is_told() -> None:
    assert explain(OSError(errno.EACCES, "x")) == "Permission denied (EACCES)."
    assert explain(OSError("something else")) == "something else."


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "ulimit -u"),
        (errno.EAGAIN, "(EAGAIN). Raise the limit of processes"),
        (errno.ENOMEM, "more memory"),
        (errno.EPERM, "(EPERM). A filter of system calls forbids it: see SystemCallFilter="),
        (errno.ENOSYS, "(ENOSYS). A filter of system calls"),
    ],
)
def test_of_a_fork_that_was_refused_the_errno_and_the_remedy_are_told(number: int, words: str) -> None:
    assert words in explain_refused_fork(number)
