"""Keys that a job user has left are gone before the next job of the same user can read them."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from jobrunner.keyrings import KEYCTL_NUMBER

ROOT = Path(__file__).parents[2]

USER = 3_000_000_300
PYTHON = shutil.which("python3", path="/usr/bin:/bin") or ""
SCRIPT = """
import ctypes, os, platform, sys
what, user = sys.argv[1], int(sys.argv[2])
sys.path.insert(0, sys.argv[3])
from jobrunner.keyrings import clear_keys_of_user
add_key, keyctl = {"x86_64": (248, 250)}.get(platform.machine(), (217, 219))
libc = ctypes.CDLL(None, use_errno=True)
call = lambda *given: libc.syscall(*(ctypes.c_long(one) if isinstance(one, int) else one for one in given))
os.setgroups([])
os.setresgid(user, user, user)
os.setresuid(user, user, user)
persistent = call(keyctl, 22, -1, -2)
places = [-4, -5] + ([persistent] if persistent >= 0 else [])
if what == "clear":
    clear_keys_of_user()
for place in places:
    if what == "leave":
        print(call(add_key, b"user", b"secret", b"kept", 4, place), ctypes.get_errno())
    else:
        print(call(keyctl, 10, place, b"user", b"secret", 0))  # a search
"""


def as_user(what: str) -> list[int]:
    done = subprocess.run(
        [PYTHON, "-c", SCRIPT, what, str(USER), str(ROOT)], stdout=subprocess.PIPE, check=True, cwd="/"
    )
    return [int(line.split()[0]) for line in done.stdout.splitlines()]


@pytest.mark.needs("other users")
@pytest.mark.skipif(
    not PYTHON or os.uname().machine not in KEYCTL_NUMBER,
    reason="no Python of the machine, or other numbers of calls",
)
def test_keys_of_a_user_are_gone_when_the_next_job_has_it() -> None:
    left = as_user("leave")
    if min(left) < 0:
        pytest.skip("the kernel keeps no keys for this process")
    assert min(as_user("look")) > 0, "this would show nothing"
    assert max(as_user("clear")) < 0
    assert max(as_user("look")) < 0
