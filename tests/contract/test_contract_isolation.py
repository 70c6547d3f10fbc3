"""What jobs reach on a real worker with `--isolation kernel`, its state and its blocks being in unusual places (I5)."""

import platform
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from contract_support import Setup
from contract_worker import Worker

from sdk.devengine import DevEngine
from supervisor.log.events.isolation import IsolationIncomplete, IsolationInForce
from supervisor.log.events.worker import Reloaded
from supervisor.process.kernel_isolation import detect
from tests.capabilities import mounting

pytestmark = [pytest.mark.contract, pytest.mark.asyncio(loop_scope="session")]

needs_landlock = pytest.mark.skipif(detect().landlock_abi == 0, reason=f"no Landlock: {detect().no_landlock}")

StartWorker = Callable[..., Worker]

PYTHON = "neops_base/python_eval:1.0.0"
FLAGS = ("--isolation", "kernel", "--function-blocks", "blocks.python_eval")
PREAMBLE = """
import errno, os

def tried(path, how, *what):
    try:
        with open(path, how) as file:
            file.write("x") if "r" not in how else file.read(1)
        return "open"
    except OSError as error:
        return errno.errorcode[error.errno]
"""


async def tried(setup: Setup, **attempts: tuple[Path | str, str]) -> dict[str, str]:
    """What becomes of opening these paths in a job, by the names of the attempts."""
    lines = [f"{name!r}: tried({str(path)!r}, {how!r})," for name, (path, how) in attempts.items()]
    result = await setup.run(PYTHON, {"source": f"{PREAMBLE}\n{{{' '.join(lines)}}}"})
    found: dict[str, str] = result["data"]["value"]
    return found


@needs_landlock
async def test_state_behind_a_link_is_closed_and_blocks_inside_it_can_be_read(
    engine: DevEngine, start_worker: StartWorker, tmp_path: Path
) -> None:
    data, link = tmp_path / "data", tmp_path / "worker" / "state"
    (data / "blocks").mkdir(parents=True, mode=0o700)
    data.chmod(0o700)
    (data / "blocks" / "table.txt").write_text("a table of the blocks'")
    link.parent.mkdir()
    link.symlink_to(data)
    (tmp_path / "backups").mkdir()
    setup = Setup(engine, start_worker(engine.url, *FLAGS, "--function-blocks", str(data / "blocks")))
    await setup.worker.ready()
    assert str(tmp_path) in await setup.logged(IsolationInForce)
    found = await tried(
        setup,
        journal=(link / "journal.sqlite3", "rb"),
        its_end=(data / "journal.sqlite3", "rb"),
        new_state=(data / "new", "w"),
        table=(data / "blocks" / "table.txt", "r"),
        code=(data / "blocks" / "new.py", "w"),
        settings=(tmp_path / "worker" / ".env", "w"),
        own=("own.txt", "w"),
        backup=(tmp_path / "backups" / "r1.cfg", "w"),
        beside=(tmp_path / "r1.cfg", "w"),
    )
    assert found == {
        **dict.fromkeys(("journal", "its_end", "new_state", "code", "settings", "beside"), "EACCES"),
        **dict.fromkeys(("table", "own", "backup"), "open"),
    }


@needs_landlock
async def test_state_on_an_overlay_is_as_closed_as_on_a_disk(
    engine: DevEngine, start_worker: StartWorker, tmp_path: Path
) -> None:
    """So it is in a container whose state directory is no volume."""
    state, disk = tmp_path / "worker" / "state", tmp_path / "disk"
    state.mkdir(parents=True)
    disk.mkdir()
    prefix = mounting(
        f"mount -t tmpfs tmpfs '{disk}' && cd '{disk}' && mkdir -m 0700 lower upper work && cd - >/dev/null && "
        f"mount -t overlay overlay -o 'lowerdir={disk}/lower,upperdir={disk}/upper,workdir={disk}/work' '{state}'"
    )
    setup = Setup(engine, start_worker(engine.url, *FLAGS, prefix=prefix))
    await setup.worker.ready()
    found = await tried(setup, journal=(state / "journal.sqlite3", "rb"), own=("own.txt", "w"))
    assert found == {"journal": "EACCES", "own": "open"}


@needs_landlock
async def test_a_reload_opens_the_writable_paths_that_are_new(
    engine: DevEngine, start_worker: StartWorker, tmp_path: Path
) -> None:
    output, env_file = tmp_path / "worker" / "output", tmp_path / "worker" / ".env"
    output.mkdir(parents=True)
    # The worker's working directory is one that modules are looked for in, and so is read-only.
    setup = Setup(engine, start_worker(engine.url, *FLAGS))
    await setup.worker.ready()
    assert await tried(setup, output=(output / "r1.cfg", "w")) == {"output": "EACCES"}
    env_file.write_text(f"NEOPS_WRITABLE_PATHS={output}\n")
    setup.worker.signal(signal.SIGHUP)
    await setup.logged(Reloaded)
    assert await tried(setup, output=(output / "r1.cfg", "w")) == {"output": "open"}
    assert await tried(setup, settings=(env_file, "w")) == {"settings": "EACCES"}


@pytest.mark.skipif(platform.machine() not in {"x86_64", "aarch64"}, reason="the numbers are not known")
async def test_where_a_container_forbids_landlock_and_seccomp_jobs_run_and_the_log_says_what_that_means(
    engine: DevEngine, start_worker: StartWorker
) -> None:
    prefix = (sys.executable, str(Path(__file__).parent / "without_isolation.py"))
    setup = Setup(engine, start_worker(engine.url, *FLAGS, prefix=prefix))
    await setup.worker.ready()
    line = await setup.logged(IsolationIncomplete)
    assert " WARNING " in line
    assert line.count("forbids it (the container's") == 2
    journal = setup.worker.state_dir / "journal.sqlite3"
    assert await tried(setup, journal=(journal, "rb"), own=("own.txt", "w")) == {
        "journal": "open",
        "own": "open",
    }
