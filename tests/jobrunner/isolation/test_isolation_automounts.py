"""What is mounted on demand holds nothing up where its server is away, and is there for jobs once it is mounted."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from apart import needs_abi

from jobrunner.isolation.mounts import Mount, mounts_of, waits_to_be_mounted
from tests.capabilities import mounting
from tests.patience import PATIENCE_SECONDS

BACKUP = Mount("0:50", "/", "/srv/backup", is_automount=True)
NET = Mount("0:51", "/", "/net", is_automount=True, of_names=True)


@pytest.mark.parametrize(
    ("path", "later", "waits"),
    [
        ("/srv/backup", None, True),
        ("/srv/backup/below", None, True),
        ("/srv/backup", "/srv/backup", False),
        ("/srv/backup/below", "/srv/backup", False),
        ("/srv/backup", "/srv/backup/below", False),
        ("/srv/backup2", None, False),
        ("/srv", None, False),
        ("/net", None, False),
        ("/net/host", None, True),
        ("/net/host", "/net/host", False),
        ("/net/host", "/net/host/export", False),
        ("/net/host", "/net/host2", True),
    ],
)
def test_what_waits_to_be_mounted(path: str, later: str | None, waits: bool) -> None:
    mounts = [Mount("8:1", "/", "/"), BACKUP, NET]
    if later is not None:
        mounts.append(Mount("0:60", "/", later))
    assert waits_to_be_mounted(path, mounts) == waits


def test_an_automount_is_told_from_one_whose_names_are_mounted() -> None:
    text = (
        "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
        "40 22 0:50 / /srv/backup rw - autofs systemd-1 rw,fd=29,pgrp=1,timeout=0,minproto=5,maxproto=5,direct\n"
        "41 22 0:51 / /net rw shared:9 - autofs auto.net rw,fd=6,pgrp=70,timeout=300,minproto=5,maxproto=5,indirect\n"
    )
    assert mounts_of(text) == [Mount("8:1", "/", "/"), BACKUP, NET]


# The kernel asks over a pipe, and nobody answers: a server that is away. Only the daemon and what it starts are let
# past.
BEGIN = """
import ctypes, json, os, select, subprocess, sys
from pathlib import Path
from apart import Place, asked_of_the_kernel, run_apart, tried
from jobrunner.isolation.automounts import ask_for_mounts
from jobrunner.isolation.child import ForkedIsolation
from jobrunner.isolation.rules import Access, Rule
from jobrunner.isolation.shared_paths import Listing, SharedPaths, _mounts
from jobrunner.protocol import linux
from jobrunner.protocol.isolation import Isolation
place = Place(Path(sys.argv[1]))
away = place.other_open
mount = 'read line && mount -t tmpfs tmpfs "$1" && echo something > "$1/file" && echo done'
daemon = subprocess.Popen(
    ["sh", "-c", mount, "sh", away], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
)
asked, asks = os.pipe()
how = f"fd={asks},pgrp={daemon.pid},minproto=5,maxproto=5,direct"
try:
    asked_of_the_kernel("mount", b"automount", os.fsencode(away), b"autofs", ctypes.c_ulong(0), how.encode())
except OSError as error:
    print(json.dumps({"refused": str(error)}))
    sys.exit()
"""
LOOKS = """
isolation = Isolation(landlock_abi=1, files=place.files)
paths = SharedPaths(isolation)
paths.open()
listing = Listing()
left = listing.leave_out_waiting([Rule(str(away), Access.ALL)], _mounts())
def child():
    linux.die_with_parent()  # where it hangs, it must not stay
    return ForkedIsolation(paths)
def job(*files):
    return run_apart(child, place.own, lambda: [tried(file.read_text) for file in files])[1]
said = {"waiting": paths.waiting == [str(away)] and left == [], "is current": listing.is_current()}
said["before"] = job(place.file, place.token)
daemon.communicate("now\\n")
said["is current then"] = listing.is_current()
said["after"] = job(place.file, place.token, away / "file")
print(json.dumps(said))
"""
ASKS = f"""
ask_for_mounts([str(away)])
print(json.dumps(bool(select.select([asked], [], [], {PATIENCE_SECONDS / 2})[0])))
"""


def said_by(script: str, tmp_path: Path) -> Any:
    """What a script says that has an automount at a place of its own."""
    if reason := needs_abi(1):
        pytest.skip(reason)
    here = Path(__file__)
    done = subprocess.run(
        [*mounting("true"), sys.executable, "-c", BEGIN + script, str(tmp_path)],
        env={"PYTHONPATH": f"{here.parents[3]}:{here.parent}", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    if isinstance(said, dict) and "refused" in said:
        pytest.skip(f"nothing can be mounted on demand here: {said['refused']}")
    return said


@pytest.mark.needs("mounts")
def test_no_child_waits_for_what_is_not_mounted_yet_and_one_that_is_begun_later_reaches_it(
    tmp_path: Path,
) -> None:
    assert said_by(LOOKS, tmp_path) == {
        "waiting": True,
        "is current": True,
        "before": ["ok", "EACCES"],
        "is current then": False,
        "after": ["ok", "EACCES", "ok"],
    }


@pytest.mark.needs("mounts")
def test_what_is_mounted_on_demand_is_asked_for_and_nobody_waits_for_it(tmp_path: Path) -> None:
    assert said_by(ASKS, tmp_path) is True
