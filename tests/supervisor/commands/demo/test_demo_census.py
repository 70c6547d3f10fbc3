"""The count of processes left over: it finds those that try to escape from it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.patience import PATIENCE_SECONDS

ROOT = Path(__file__).parents[4]

# In a process of its own: a census makes its process a subreaper for good.
PROGRAM = """
import json, os, signal, subprocess, sys, time
from supervisor.commands.demo.census import Census

mark, escape = sys.argv[1:]
census = Census(mark)
sleep = [sys.executable, "-I", "-S", "-c", "import time; print(0, flush=True); time.sleep(60)"]
environment = dict(os.environ)
if escape == "mark in the environment":
    environment["NEOPS_DEMO_RUN"] = mark
elif escape == "mark on the command line":
    sleep += [mark, "daemon"]
program = f'''
import os, time
os.fork() and os._exit(0)
os.setsid()
parent = os.getpid()
os.fork() and os._exit(0)
while os.getppid() == parent:  # else it would be found as well
    time.sleep(0.001)
os.execv({sleep[0]!r}, {sleep!r})
'''
started = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, env=environment)
started.stdout.readline()
started.wait()
census.look()
left = census.left()
expected = [found.pid for found in left]
for pid in expected:
    os.kill(pid, signal.SIGKILL)
end = time.monotonic() + 100
while census.left() and time.monotonic() < end:
    time.sleep(0.01)
census.expect(os.getpid())
print(json.dumps({
    "left": [found.command for found in left],
    "afterwards": len(census.left()),
    "seen": census.seen,
    "kinds": sorted(census.marked_last_words),
    "children": [int(pid) for pid in open(f"/proc/self/task/{os.getpid()}/children").read().split()],
}))
"""


def take(mark: str, escape: str) -> dict[str, object]:
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, mark, escape],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


@pytest.mark.parametrize("escape", ["no mark", "mark in the environment", "mark on the command line"])
def test_a_double_forked_daemon_is_found_counted_and_reaped(escape: str) -> None:
    found = take("census-test", escape)
    (command,) = found["left"]
    assert "time.sleep(60)" in command
    assert found["seen"] >= 1
    assert found["afterwards"] == 0
    assert found["children"] == []
    assert found["kinds"] == (["daemon"] if escape == "mark on the command line" else [])
