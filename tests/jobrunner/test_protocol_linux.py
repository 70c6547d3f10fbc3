"""What a process asks of the kernel for itself: seen by itself, as the kernel tells it (prctl(2))."""

import ctypes
import errno
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from jobrunner.protocol import linux
from tests.patience import PATIENCE_SECONDS

ROOT = Path(__file__).parents[2]
ASKS = """
import ctypes, json, sys
from jobrunner.protocol import linux
libc = ctypes.CDLL(None)
def seen():
    number, death = ctypes.c_int(), ctypes.c_int()
    libc.prctl(37, ctypes.byref(number), 0, 0, 0)
    libc.prctl(2, ctypes.byref(death), 0, 0, 0)
    return {
        "death signal": death.value, "dumpable": libc.prctl(3, 0, 0, 0, 0), "subreaper": number.value,
        "no new privileges": libc.prctl(39, 0, 0, 0, 0), "name": open("/proc/self/comm").read().strip(),
    }
before = seen()
exec(sys.argv[1])
after = seen()
print(json.dumps({name: after[name] for name in after if after[name] != before[name]}))
"""


def changed_by(call: str) -> dict[str, Any]:
    """Return what is different of a process after a call, and only that."""
    done = subprocess.run(
        [sys.executable, "-c", ASKS, call],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(
    ("call", "changed"),
    [
        ("linux.die_with_parent()", {"death signal": signal.SIGKILL}),
        ("linux.die_with_parent(15)", {"death signal": signal.SIGTERM}),
        ("linux.become_subreaper()", {"subreaper": 1}),
        ("linux.forbid_inspection()", {"dumpable": 0}),
        ("linux.forbid_inspection(); linux.allow_inspection()", {}),
        ("linux.forbid_new_privileges()", {"no new privileges": 1}),
        ("linux.set_process_name('neops-of-too-many-letters')", {"name": "neops-of-too-ma"}),
    ],
)
def test_each_call_changes_what_it_says_and_nothing_else(call: str, changed: dict[str, Any]) -> None:
    if "no new privileges" in changed and "NoNewPrivs:\t1" in Path("/proc/self/status").read_text():
        pytest.skip("this process may have no new privileges already")
    assert changed_by(call) == changed


def test_what_the_kernel_refuses_is_raised_with_its_reason() -> None:
    ctypes.set_errno(0)
    with pytest.raises(OSError, match="Invalid argument") as caught:
        linux.die_with_parent(1000)  # no signal
    assert caught.value.errno == errno.EINVAL


def test_signals_of_the_worker_s_own_are_real_time_ones_that_differ() -> None:
    """So that blocks keep SIGUSR1 and SIGUSR2; threads of libc use the first of the real-time signals."""
    ours = {
        linux.DUMP_SIGNAL,
        linux.AWAITS_SIGNAL,
        linux.AWAITS_AGAIN_SIGNAL,
        linux.MAIN_STACK_SIGNAL,
        linux.KEEPER_LOST_SIGNAL,
        linux.THREADS_SIGNAL,
    }
    assert len(ours) == 6
    assert all(signal.SIGRTMIN < number <= signal.SIGRTMAX for number in ours)


CLOSES = """
import ctypes, json, os
from jobrunner.protocol import linux
can = ctypes.CDLL(None).syscall(436, ctypes.c_uint(2**20), ctypes.c_uint(2**20), ctypes.c_uint(0)) == 0
for number in (40, 41, 900):
    os.dup2(1, number)
closed = linux.close_from(41)
left = [number for number in (40, 41, 900) if os.path.exists(f"/proc/self/fd/{number}")]
print(json.dumps([can, closed, left]))
"""


def test_where_the_kernel_can_close_a_range_all_from_a_descriptor_on_are_closed_in_one_call() -> None:
    done = subprocess.run(
        [sys.executable, "-c", CLOSES],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=True,
    )
    can, closed, left = json.loads(done.stdout)
    assert closed is can
    assert left == ([40] if can else [40, 41, 900])
