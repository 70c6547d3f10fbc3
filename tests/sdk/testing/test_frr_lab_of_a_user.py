"""The lab of FRR started by a user without rights, as developers do: in namespaces of his own."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path

import paramiko  # type: ignore[import-untyped]  # ships no types
import pytest

from supervisor.worker.job_users import not_open_to_all
from tests.jobusers.job_users_support import opening
from tests.patience import PATIENCE_SECONDS, wait_until

ROOT = Path(__file__).parents[3]
# In nobody's range, and other numbers for each process of the tests.
USER = 3_100_000_000 + os.getpid() % 2**20
FIRST_SUB_USER = 2_000_000_000

# The accounts are there for this command alone: the files of the machine stay as they are.
_AS_USER = """
set -e
for file in passwd group subuid subgid; do
  mount --bind "$1/$file" /etc/$file
done
user=$2; shift 2
exec setpriv --reuid "$user" --regid "$user" --clear-groups --inh-caps=-all --ambient-caps=-all "$@"
"""
_LAB = """
import json, sys
from sdk.testing.frr_lab import FrrLab
lab = FrrLab()
with lab as devices:
    last = devices[-1]
    print(json.dumps([last.port, last.username, last.password, sorted(lab.seconds)]), flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def files() -> Iterator[Path]:
    """The accounts that the user needs: a name, and ranges of further users."""
    path = Path(tempfile.mkdtemp(prefix="neops-lab-user-"))
    path.chmod(0o755)
    for name, line in {
        "passwd": f"labuser:x:{USER}:{USER}::/tmp:/bin/sh",
        "group": f"labuser:x:{USER}:",
        "subuid": f"labuser:{FIRST_SUB_USER}:65536",
        "subgid": f"labuser:{FIRST_SUB_USER}:65536",
    }.items():
        before = Path("/etc", name).read_text() if Path("/etc", name).exists() else ""
        (path / name).write_text(f"{before}{line}\n")
    yield path
    shutil.rmtree(path)


@pytest.mark.needs("frr lab", "other users", "mounts of root", "uidmap")
def test_a_user_without_rights_has_the_lab_too_and_nothing_of_it_is_left(files: Path) -> None:
    needed = [Path(sys.executable), *(Path(sysconfig.get_path(name)) for name in ("stdlib", "purelib")), ROOT]
    command = [
        *opening(not_open_to_all(needed)),
        *(
            "unshare",
            "--mount",
            "--propagation",
            "private",
            "sh",
            "-c",
            _AS_USER,
            "sh",
            str(files),
            str(USER),
        ),
        *(sys.executable, "-c", _LAB),
    ]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "LANG": "C.UTF-8"}
    with subprocess.Popen(
        command, cwd="/", env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        said = process.stdout.readline()
        try:
            port, username, password, seen = json.loads(said)
            assert seen == ["bgp", "ospf", "ssh"]
            shown = answer("127.0.0.1", port, username, password, "hostname; vtysh -c 'show ip route bgp'")
            assert shown.startswith("r3")
            assert "172.16.1.0/24" in shown
        finally:
            process.communicate()
    assert process.returncode == 0
    wait_until(lambda: processes_of(USER) == [], "no process of the user is left")
    assert Path("/etc/passwd").read_text().find("labuser") == -1


def processes_of(user: int) -> list[int]:
    """The processes of a user, or of those that the lab has made of it."""
    found = []
    for directory in Path("/proc").iterdir():
        if directory.name.isdecimal():
            with contextlib.suppress(OSError):
                owner = directory.stat().st_uid
                if owner == user or FIRST_SUB_USER <= owner < FIRST_SUB_USER + 65536:
                    found.append(int(directory.name))
    return found


def answer(host: str, port: int, username: str, password: str, command: str) -> str:
    client = paramiko.SSHClient()
    client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
    with client:
        client.connect(
            host, port, username=username, password=password, look_for_keys=False, allow_agent=False,
            timeout=PATIENCE_SECONDS,
        )  # fmt: skip
        _, out, _ = client.exec_command(command, timeout=PATIENCE_SECONDS)
        return str(out.read().decode())
