"""A fork whose parent is its maker's parent: a process like any other fork, with secrets of its own."""

import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from jobrunner import fork_handlers, single_fork
from tests.patience import PATIENCE_SECONDS

ROOT: Final = Path(__file__).parents[2]

PROGRAM: Final = """
import faulthandler, json, os, random, ssl, sys, threading, uuid
from jobrunner.protocol import linux
from jobrunner.single_fork import can_fork_once, fork_from_parent

def draw():
    return [ssl.RAND_bytes(16).hex(), os.urandom(16).hex(), random.random(), str(uuid.uuid4())]

def child(write):
    said = {"drawn": draw(), "parent": os.getppid(), "pid": os.getpid(), "tid": threading.get_native_id()}
    said["forked"] = forked
    thread = threading.Thread(target=lambda: said.update(thread=threading.get_native_id() != os.getpid()))
    thread.start()
    thread.join()
    greeting = ssl.MemoryBIO()
    try:
        ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), greeting, server_hostname="a").do_handshake()
    except ssl.SSLWantReadError:
        said["hello"] = len(greeting.read()) > 100
    os.write(write, json.dumps(said).encode() + b"\\n")
    if os.fork() == 0:
        os._exit(0)
    os.wait()
    os._exit(7)

forked = []
os.register_at_fork(before=lambda: forked.append("before"), after_in_child=lambda: forked.append("child"))
read, write = os.pipe()
draw()
if os.fork() == 0:
    assert can_fork_once()
    for _ in range(2):
        if fork_from_parent() == 0:
            child(write)
    # And a fork of a fork, as a session holder's child is.
    if fork_from_parent() == 0:
        if fork_from_parent() == 0:
            child(write)
        os._exit(0)
    threading.Thread(target=lambda: None).start()
    os._exit(0)
statuses = sorted(os.waitstatus_to_exitcode(os.wait()[1]) for _ in range(5))
os.close(write)
with open(read) as said:
    print(json.dumps({"statuses": statuses, "pid": os.getpid(), "children": [json.loads(line) for line in said]}))
"""


def test_forks_are_children_of_their_maker_s_parent_and_draw_no_random_number_twice() -> None:
    if platform.machine() not in single_fork._CALLS:
        pytest.skip("no numbers of system calls for this machine")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.stderr == ""
    seen = json.loads(done.stdout)
    children = seen["children"]
    assert seen["statuses"] == [0, 0, 7, 7, 7]
    drawn = [number for child in children for number in child["drawn"]]
    assert len(set(drawn)) == len(drawn)
    for child in children:
        assert child["parent"] == seen["pid"]
        assert child["tid"] == child["pid"]
        assert child["forked"][-1] == "child"
        assert child["thread"] is True
        assert child["hello"] is True


def test_it_is_not_done_in_a_process_with_threads() -> None:
    program = (
        "import threading, time; from jobrunner.single_fork import can_fork_once; print(can_fork_once()); "
        "threading.Thread(target=time.sleep, args=(60,), daemon=True).start(); print(can_fork_once())"
    )
    assert _said_by(program) == "True\nFalse"


def test_a_fork_that_a_filter_forbids_is_an_error_and_the_process_goes_on() -> None:
    program = """
import os, threading
from jobrunner.isolation.call_filter import refuse_calls_that_reach_beyond
from jobrunner.protocol.linux import forbid_new_privileges
from jobrunner.single_fork import fork_from_parent

forbid_new_privileges()
refuse_calls_that_reach_beyond()
try:
    fork_from_parent()
except PermissionError:
    thread = threading.Thread(target=print, args=("goes on",))
    thread.start()
    thread.join()
"""
    assert _said_by(program) == "goes on"


def test_it_is_not_done_where_the_kernel_does_not_say_where_a_thread_s_number_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(single_fork, "_PR_GET_TID_ADDRESS", 9999)
    monkeypatch.setattr(os, "listdir", lambda path: ["1"])
    monkeypatch.setattr(single_fork, "libraries_with_fork_handlers", list)
    assert not single_fork.can_fork_once()


def test_it_is_not_done_on_a_machine_whose_calls_are_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    assert not single_fork.can_fork_once()


def test_a_library_that_names_the_call_for_fork_handlers_is_found_and_others_are_not(tmp_path: Path) -> None:
    paths = list(fork_handlers._mapped_files())
    libc = next(path for path in paths if os.path.basename(path).startswith("libc."))
    assert not fork_handlers._may_register(libc)
    assert not fork_handlers._may_register(os.path.realpath(sys.executable))
    # The C library itself names it, since it offers it: under another name it stands for a library that uses it.
    other = tmp_path / "other.so"
    shutil.copy(libc, other)
    assert fork_handlers._may_register(str(other))


@pytest.mark.parametrize("content", [b"", b"\x7fELF\x02", b"no library at all" * 100])
def test_a_mapped_file_that_can_not_be_read_as_a_library_counts_as_one_that_wants_to_be_called(
    tmp_path: Path, content: bytes
) -> None:
    file = tmp_path / "mapped"
    file.write_bytes(content)
    assert fork_handlers._may_register(str(file))
    assert fork_handlers._may_register(str(tmp_path / "gone (deleted)"))


def _said_by(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=True,
    )
    return done.stdout.strip()
