"""A real systemd for tests, on a machine whose own may be something else: in namespaces, and gone with its holder."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.capabilities import lacking
from tests.patience import PATIENCE_SECONDS, wait_until

HERE = Path(__file__).parent
SYSTEMD = Path("/usr/lib/systemd/systemd")
NAMESPACES = ["unshare", "--mount", "--pid", "--uts", "--ipc", "--fork", "--kill-child"]

TARGET = "[Unit]\nDefaultDependencies=no\n"
# In the place of the distribution's, which would start its whole network.
NO_NETWORK = "[Unit]\nDefaultDependencies=no\n"


def why_not() -> str:
    """Why there can be no private systemd here; empty when there can."""
    if not SYSTEMD.exists():
        return f"systemd is not installed here ({SYSTEMD})"
    if reason := lacking("mounts of root"):
        return reason
    tried = subprocess.run(
        [*NAMESPACES, "sh", "-c", "umount -R /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup"],
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    return "" if tried.returncode == 0 else f"no namespaces, or no cgroup v2, here: {tried.stderr.strip()}"


@contextmanager
def booted(folder: Path, units: dict[str, str], prepare: str = "") -> Iterator["subprocess.Popen[bytes]"]:
    """Boot a systemd with `units` (file name to text), and yield the process that holds it.

    `prepare` is run by a shell in its namespaces, as their root, before it begins. Everything in there is killed at
    the end, and nothing of it is left.
    """
    cgroup = f"neops-test-{os.getpid()}"
    (folder / "units").mkdir()
    for name, text in {"test.target": TARGET, "network-online.target": NO_NETWORK, **units}.items():
        file = folder / "units" / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    if prepare:
        (folder / "prepare.sh").write_text(prepare)
    command = [*NAMESPACES, "sh", str(HERE / "boot.sh"), str(folder / "units"), cgroup]
    with open(folder / "console", "wb") as console:
        holder = subprocess.Popen(command, stdout=console, stderr=console, stdin=subprocess.DEVNULL)
        try:
            yield holder
        finally:
            # The manager is the first process of its pid namespace: with it everything in there is killed.
            holder.kill()
            holder.wait(timeout=PATIENCE_SECONDS)
            _remove_cgroup(cgroup)


def _remove_cgroup(name: str) -> None:
    mounts = Path("/proc/self/mounts").read_text().splitlines()
    trees = [Path(line.split()[1]) for line in mounts if line.split()[2] == "cgroup2"]
    roots = [tree / name for tree in trees if (tree / name).is_dir()]
    wait_until(lambda: not any(map(_populated, roots)), lambda: f"processes are left in {roots}")
    for root in roots:
        for folder, _, _ in sorted(os.walk(root), reverse=True):
            os.rmdir(folder)


def _populated(cgroup: Path) -> bool:
    with contextlib.suppress(FileNotFoundError):
        return "populated 1" in (cgroup / "cgroup.events").read_text()
    return False
