"""A closed path is closed at each place at which it is mounted."""

import subprocess
import sys
from pathlib import Path

import pytest
from apart import needs_abi

from jobrunner.isolation.mounts import Mount, mounts_of, other_places
from jobrunner.isolation.shared_paths import with_other_places
from jobrunner.protocol.isolation import FileRules
from tests.capabilities import mounting
from tests.patience import PATIENCE_SECONDS

ROOT = Mount("8:1", "/", "/")


@pytest.mark.parametrize(
    ("path", "again", "expected"),
    [
        ("/var/lib/state", Mount("8:1", "/var/lib", "/mnt"), ["/mnt/state"]),
        ("/var/lib/state", Mount("8:1", "/var/lib/state", "/mnt"), ["/mnt"]),
        ("/var/lib/state", Mount("8:1", "/var/lib/state/jobs", "/mnt"), ["/mnt"]),
        ("/var/lib/state", Mount("8:1", "/", "/mnt"), ["/mnt/var/lib/state"]),
        ("/mnt/state", Mount("8:1", "/var/lib", "/mnt"), ["/var/lib/state"]),
        ("/var/lib/state", Mount("8:1", "/var/lib/state2", "/mnt"), []),
        ("/var/lib/state", Mount("8:2", "/var/lib", "/mnt"), []),
        ("/var/lib/state", Mount("8:2", "/", "/var/lib"), []),  # it hides the one that is named
    ],
)
def test_the_other_paths_of_a_path(path: str, again: Mount, expected: list[str]) -> None:
    assert list(other_places(path, [ROOT, again])) == expected


def test_what_the_kernel_says_is_read_with_its_escapes() -> None:
    text = (
        "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
        "40 22 8:1 /a\\040b /mnt/c\\011d rw - ext4 /dev/sda1 rw\n"
    )
    assert mounts_of(text) == [ROOT, Mount("8:1", "/a b", "/mnt/c\td")]


@pytest.mark.parametrize("mark", ["\r", "\v", "\f", "\x1c", "\x85", "\u2028"])
def test_what_only_python_takes_for_the_end_of_a_line_is_a_part_of_a_name(mark: str) -> None:
    """Anybody may mount something at a place of such a name, by FUSE."""
    text = f"40 22 0:50 / /home/a{mark}b rw - fuse.sshfs a rw,user_id=1000\n22 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
    assert mounts_of(text) == [Mount("0:50", "/", f"/home/a{mark}b"), ROOT]


def test_what_is_read_only_is_so_at_its_other_place_unless_that_is_closed() -> None:
    mounts = [ROOT, Mount("8:1", "/blocks", "/mnt"), Mount("8:1", "/blocks", "/state/blocks")]
    files = with_other_places(FileRules(closed=("/state",), read_only=("/blocks",)), mounts)
    assert files == FileRules(closed=("/state",), read_only=("/blocks", "/mnt"))


SCRIPT = """
import subprocess, sys
from pathlib import Path
from apart import Place, run_apart, shared, tried
from jobrunner.protocol.isolation import Isolation
place = Place(Path(sys.argv[1]))
odd = place.above / "a\\r\\vb"
odd.mkdir()
odd_one = ["-t", "tmpfs", "tmpfs", str(odd)]
what = odd_one if sys.argv[2] == "odd" else ["--bind", str(place.state), str(place.other_open)]
subprocess.run(["mount", *what], check=True)
work = lambda: [tried((place.other_open / "token").read_text), tried(place.file.read_text), tried(Path("new").touch)]
print(run_apart(lambda: shared(Isolation(landlock_abi=1, files=place.files)), place.own, work)[1])
"""


def tried_beside(what: str, tmp_path: Path) -> str:
    """What a job says that reads and writes where something is mounted beside its directory."""
    if reason := needs_abi(1):
        pytest.skip(reason)
    here = Path(__file__)
    done = subprocess.run(
        [*mounting("true"), sys.executable, "-c", SCRIPT, str(tmp_path), what],
        env={"PYTHONPATH": f"{here.parents[3]}:{here.parent}", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    return done.stdout.strip() or done.stderr


@pytest.mark.needs("mounts")
def test_a_closed_directory_that_is_mounted_a_second_time_is_closed_there_too(tmp_path: Path) -> None:
    assert tried_beside("again", tmp_path) == "['EACCES', 'ok', 'ok']"


@pytest.mark.needs("mounts")
def test_no_name_of_a_mount_keeps_jobs_from_their_start(tmp_path: Path) -> None:
    assert tried_beside("odd", tmp_path) == "['ENOENT', 'ok', 'ok']"
