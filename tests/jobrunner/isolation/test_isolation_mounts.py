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


def test_what_is_read_only_is_so_at_its_other_place_unless_that_is_closed() -> None:
    mounts = [ROOT, Mount("8:1", "/blocks", "/mnt"), Mount("8:1", "/blocks", "/state/blocks")]
    files = with_other_places(FileRules(closed=("/state",), read_only=("/blocks",)), mounts)
    assert files == FileRules(closed=("/state",), read_only=("/blocks", "/mnt"))


SCRIPT = """
import sys
from pathlib import Path
from apart import Place, run_apart, shared, tried
from jobrunner.protocol.isolation import Isolation
place = Place(Path(sys.argv[1]))
import subprocess
subprocess.run(["mount", "--bind", str(place.state), str(place.other_open)], check=True)
work = lambda: [tried((place.other_open / "token").read_text), tried(place.file.read_text), tried(Path("new").touch)]
print(run_apart(lambda: shared(Isolation(landlock_abi=1, files=place.files)), place.own, work)[1])
"""


@pytest.mark.needs("mounts")
def test_a_closed_directory_that_is_mounted_a_second_time_is_closed_there_too(tmp_path: Path) -> None:
    if reason := needs_abi(1):
        pytest.skip(reason)
    here = Path(__file__)
    done = subprocess.run(
        [*mounting("true"), sys.executable, "-c", SCRIPT, str(tmp_path)],
        env={"PYTHONPATH": f"{here.parents[3]}:{here.parent}", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.stdout.strip() == "['EACCES', 'ok', 'ok']", done.stderr
