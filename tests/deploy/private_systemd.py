"""A real systemd for one test, on a machine whose own may be something else."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.capabilities import lacking
from tests.patience import PATIENCE_SECONDS, wait_until

HERE = Path(__file__).parent
SYSTEMD = Path("/usr/lib/systemd/systemd")
NAMESPACES = ["unshare", "--mount", "--pid", "--uts", "--ipc", "--fork", "--kill-child"]

TARGET = "[Unit]\nDefaultDependencies=no\nWants=drive.service\n"
DRIVER = "[Unit]\nDefaultDependencies=no\n[Service]\nType=oneshot\nTimeoutStartSec=60\nExecStart=/bin/sh {script}\n"
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
def private_systemd(folder: Path, units: dict[str, str], script: str) -> Iterator[Path]:
    """Boot a systemd with ``units`` (file name to text), run ``script`` in it, and yield where that works.

    Everything that runs in it is killed at the end.
    """
    cgroup = f"neops-test-{os.getpid()}"
    (folder / "units").mkdir()
    driver = DRIVER.format(script=folder / "drive.sh")
    for name, text in {
        "drive.target": TARGET,
        "drive.service": driver,
        "network-online.target": NO_NETWORK,
        **units,
    }.items():
        file = folder / "units" / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    work = folder / "work"
    work.mkdir()
    (folder / "drive.sh").write_text(f"cd {work}\nexec 2>trace\nset -x\n{script}")
    command = [*NAMESPACES, "sh", str(HERE / "boot.sh"), str(folder / "units"), cgroup]
    with open(folder / "console", "wb") as console:
        holder = subprocess.Popen(command, stdout=console, stderr=console, stdin=subprocess.DEVNULL)
        try:
            yield work
        finally:
            # The manager is the first process of its pid namespace: with it everything in there is killed.
            holder.kill()
            holder.wait(timeout=PATIENCE_SECONDS)
            _remove_cgroup(cgroup)


def wait_for_file(path: Path, seconds: float) -> str:
    """Return the content of a file as soon as it is there."""
    wait_until(path.exists, lambda: evidence(path.parent.parent), seconds)
    return path.read_text()


def evidence(folder: Path) -> str:
    """What the manager and the script have said."""
    return "\n".join(
        path.read_text(errors="replace")[-6000:]
        for path in (folder / "console", folder / "work" / "trace")
        if path.exists()
    )


def _remove_cgroup(name: str) -> None:
    mounts = Path("/proc/self/mounts").read_text().splitlines()
    trees = [Path(line.split()[1]) for line in mounts if line.split()[2] == "cgroup2"]
    roots = [tree / name for tree in trees if (tree / name).is_dir()]
    wait_until(lambda: not any(map(_populated, roots)), lambda: f"processes are left in {roots}", 10)
    for root in roots:
        for folder, _, _ in sorted(os.walk(root), reverse=True):
            os.rmdir(folder)


def _populated(cgroup: Path) -> bool:
    with contextlib.suppress(FileNotFoundError):
        return "populated 1" in (cgroup / "cgroup.events").read_text()
    return False


def is_open_to_all(path: Path) -> bool:
    """Whether a user that exists only for a service can get there, home and temporary directories being hidden."""
    hidden = [Path(name) for name in ("/home", "/root", "/run/user", "/tmp", "/var/tmp")]
    if any(path.is_relative_to(parent) for parent in hidden):
        return False
    return all(parent.stat().st_mode & 0o005 == 0o005 for parent in (path, *path.parents) if parent.is_dir())


def interpreter_paths() -> list[Path]:
    return [Path(sys.prefix), Path(sys.base_prefix), Path(os.path.realpath(sys.executable)).parent]
