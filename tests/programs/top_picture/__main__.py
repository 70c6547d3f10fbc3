"""The command line: `supervisor local` runs three jobs, and what `top` shows of them becomes docs/top.svg."""

import io
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from rich.console import Console

from supervisor.commands.local.places import WORKER_DIRECTORY
from supervisor.commands.top.picture import picture_of
from supervisor.commands.top.rates import CpuShares
from supervisor.commands.top.snapshot import Snapshot, snapshot_of
from supervisor.errors import SupervisorError
from supervisor.worker.control_socket.client import ControlClient
from supervisor.worker.control_socket.place import runtime_directory
from tests.patience import wait_until

PICTURE: Final = Path(__file__).parents[3] / "docs" / "top.svg"
WIDTH, HEIGHT = 116, 8
_BLOCKS: Final = Path(__file__).with_name("picture_blocks.py")
_JOBS: Final = ("backup", "audit", "upgrade")
_FONTS: Final = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
"""rich has a browser fetch a font from elsewhere: the reader's own has to do."""
_SETTLED_SECONDS: Final = 6.0


def main() -> int:
    """Write the picture. Returns 0."""
    with tempfile.TemporaryDirectory(prefix="neops-top-") as name, _running(Path(name)) as state_dir:
        client = ControlClient(runtime_directory(None, state_dir / WORKER_DIRECTORY))
        wait_until(lambda: _is_there(client))
        for block in _JOBS:
            _supervisor("submit", block, home=state_dir.parent)
        shares = CpuShares()
        end = time.monotonic() + _SETTLED_SECONDS
        snapshot = snapshot_of(client.ask("top"))
        while time.monotonic() < end or not _is_settled(snapshot):
            snapshot = snapshot_of(client.ask("top"))
            shares.add(time.monotonic(), snapshot)
            time.sleep(0.5)
        PICTURE.write_text(svg_of(snapshot, shares, time.strftime("%H:%M:%S")), encoding="utf-8")
    print(f"Written: {PICTURE.relative_to(Path.cwd()) if PICTURE.is_relative_to(Path.cwd()) else PICTURE}")
    return 0


def svg_of(snapshot: Snapshot, shares: CpuShares, clock: str) -> str:
    """Return the picture as SVG. It fetches nothing from anywhere."""
    console = Console(record=True, width=WIDTH, height=HEIGHT, file=io.StringIO(), force_terminal=True)
    console.print(picture_of(snapshot, shares.share_of, clock, WIDTH, HEIGHT))
    drawn = console.export_svg(title="supervisor top", unique_id="top")
    return "\n".join(line.rstrip() for line in _FONTS.sub("", drawn).splitlines()) + "\n"


def _is_settled(snapshot: Snapshot) -> bool:
    return any(job.stalled_seconds for job in snapshot.jobs) and all(
        job.memory_bytes for job in snapshot.jobs
    )


def _is_there(client: ControlClient) -> bool:
    try:
        return bool(client.ask("status")["ready"])
    except SupervisorError:
        return False


@contextmanager
def _running(home: Path) -> Iterator[Path]:
    state_dir = home / "neops-local"
    flags = ("--port", "0", "--function-blocks", str(_BLOCKS), "--max-job-memory-mb", "512")
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "supervisor", "local", *flags],
            stdout=log,
            stderr=log,
            env=_environment(home),
            cwd=home,
        )
    try:
        yield state_dir
    finally:
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGTERM)  # at once: these jobs have no end
        process.wait()


def _supervisor(*words: str, home: Path) -> None:
    command = [sys.executable, "-m", "supervisor", *words]
    subprocess.run(command, env=_environment(home), cwd=home, check=True, stdout=subprocess.DEVNULL)


def _environment(home: Path) -> dict[str, str]:
    own = {"XDG_STATE_HOME": str(home), "NEOPS_WORKER_NAME": "edge-1", "NEOPS_STALL_SECONDS": "2"}
    return {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONPATH": str(PICTURE.parents[1]), **own}


if __name__ == "__main__":
    sys.exit(main())
