"""A person looks at a real worker while a job hangs in it: `top`, `stack` and `support-bundle`."""

import asyncio
import json
import os
import pty
import re
import select
import signal
import stat
import subprocess
import sys
import tarfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from contract_support import Setup
from contract_worker import Worker

from sdk.devengine import DevEngine, EngineOptions
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.asyncio(loop_scope="session")

HANGS = "neops_testing/hang_await:1.0.0"
SECRET = "Trellis-Wagon-1842"
_COLOUR = re.compile(rb"\x1b\[[0-9;]*3[0-7][0-9;]*m")


def command(setup: Setup, *words: str) -> list[str]:
    return [sys.executable, "-m", "supervisor", *words, "--state-dir", str(setup.worker.state_dir)]


async def ask(setup: Setup, *words: str, **variables: str) -> tuple[int, str, str]:
    """Run `supervisor WORDS` against the worker of this set-up; return exit code, stdout and stderr."""
    process = await asyncio.create_subprocess_exec(
        *command(setup, *words),
        env=os.environ | variables,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    stdout, stderr = await process.communicate()
    assert process.returncode is not None
    return process.returncode, stdout.decode(), stderr.decode()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def live(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Setup]:
    """A worker of its own: in the shared one a job has 20 seconds."""
    directory = tmp_path_factory.mktemp("live")
    flags = ("--max-concurrent-jobs", "2", "--function-blocks", "blocks.testing", "--max-job-seconds", "600")
    async with DevEngine(EngineOptions(without_token=True)) as engine:
        worker = Worker(engine.url, directory, *flags)
        try:
            await worker.ready()
            yield Setup(engine, worker)
        finally:
            worker.kill()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def hanging(live: Setup) -> str:
    """A job that awaits what never comes, and whose context holds a password."""
    device = {"id": 1, "hostname": "sw1", "ip": "192.0.2.1", "username": "admin", "password": SECRET}
    job_id = live.engine.submit(block=HANGS, context={"devices": [device]})
    await live.started(job_id)
    return job_id


async def test_top_shows_the_job_and_its_process_once_as_json_and_as_text(live: Setup, hanging: str) -> None:
    async def measured() -> dict[str, Any] | None:
        code, stdout, stderr = await ask(live, "top", "--once", "--json")
        assert (code, stderr) == (0, "")
        (job,) = json.loads(stdout)["jobs"]
        return job if job["memory_bytes"] else None

    end = time.monotonic() + PATIENCE_SECONDS
    while not (job := await measured()):
        assert time.monotonic() < end
    assert (job["job_id"], job["block"], job["state"]) == (hanging, HANGS, "running")
    assert Path(f"/proc/{job['pid']}").exists()
    code, stdout, stderr = await ask(live, "top", "--once")
    assert (code, stderr) == (0, "")
    assert hanging[:8] in stdout  # with few columns, only so much is shown
    assert "2 slot(s)" in stdout
    assert "\x1b" not in stdout


class Terminal:
    """A command on a terminal of its own."""

    def __init__(self, words: list[str], **variables: str) -> None:
        self.master, slave = pty.openpty()
        environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
        environment |= {"TERM": "xterm-256color", "COLUMNS": "100", "LINES": "20"} | variables
        self.process = subprocess.Popen(
            words, stdin=slave, stdout=slave, stderr=slave, env=environment, start_new_session=True
        )
        os.close(slave)
        self.shown = b""

    def read(self) -> bytes:
        """Return all that was printed so far."""
        while select.select([self.master], [], [], 0)[0]:
            try:
                self.shown += os.read(self.master, 65536)
            except OSError:  # nobody has the terminal's other side any more
                break
        return self.shown

    async def shows(self, text: bytes) -> None:
        """Wait until it does; tell what it shows in place of that."""
        end = time.monotonic() + PATIENCE_SECONDS
        while text not in self.read():
            assert self.process.poll() is None, self.shown[-3000:]
            assert time.monotonic() < end, self.shown[-3000:]
            await asyncio.sleep(0.05)

    async def ended(self) -> int:
        """Wait until it has ended, and return its exit code; tell what it shows where it goes on."""
        end = time.monotonic() + PATIENCE_SECONDS
        while self.process.poll() is None:
            assert time.monotonic() < end, self.read()[-3000:]
            self.read()
            await asyncio.sleep(0.05)
        self.read()
        return int(self.process.returncode)


@pytest.fixture
def terminal(live: Setup) -> Iterator[Any]:
    opened: list[Terminal] = []

    def begin(**variables: str) -> Terminal:
        opened.append(Terminal(command(live, "top"), **variables))
        return opened[-1]

    yield begin
    for each in opened:
        each.process.kill()
        each.process.wait()
        os.close(each.master)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, 143)])
async def test_top_on_a_terminal_leaves_it_as_it_was_whoever_ends_it(
    live: Setup, hanging: str, terminal: Any, number: signal.Signals, code: int
) -> None:
    top = terminal()
    await top.shows(hanging[:8].encode())
    os.kill(top.process.pid, number)
    assert await top.ended() == code, top.shown[-3000:]
    assert b"Traceback" not in top.shown
    screens = re.findall(rb"\x1b\[\?1049.", top.shown)  # the other screen
    assert screens == [b"\x1b[?1049h", b"\x1b[?1049l"], top.shown[-3000:]
    assert top.shown.rindex(b"\x1b[?25h") > top.shown.rindex(b"\x1b[?25l")  # the cursor
    assert _COLOUR.search(top.shown)


async def test_top_has_no_colours_where_nobody_wants_them(live: Setup, hanging: str, terminal: Any) -> None:
    top = terminal(NO_COLOR="1")
    await top.shows(hanging[:8].encode())
    os.kill(top.process.pid, signal.SIGINT)
    assert await top.ended() == 0
    assert not _COLOUR.search(top.shown)


async def test_top_ends_without_a_word_when_nobody_reads_any_more(live: Setup, hanging: str) -> None:
    pipe = f"{' '.join(command(live, 'top', '--seconds', '0.2'))} | head -n 1; echo ${{PIPESTATUS[0]}}"
    done = await asyncio.to_thread(
        subprocess.run, ["bash", "-c", pipe], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert done.stdout.splitlines()[-1] == "141"


async def test_stack_shows_what_a_job_awaits_and_the_job_goes_on(live: Setup, hanging: str) -> None:
    first, second = await asyncio.gather(ask(live, "stack", hanging), ask(live, "stack", hanging))
    for code, stdout, stderr in (first, second):
        assert (code, stderr) == (0, "")
        assert re.search(r'Awaiting in task block .*\n.*\n  File ".*hangs\.py", line \d+ in run', stdout)
    code, stdout, _ = await ask(live, "stack", hanging, "--json")
    assert json.loads(stdout)["state"] == "running"
    assert live.engine.job(hanging).finished_at is None


async def test_stack_of_a_job_that_this_worker_does_not_have_is_exit_code_5(live: Setup) -> None:
    code, stdout, stderr = await ask(live, "stack", "no-such-job")
    assert (code, stdout) == (5, "")
    assert stderr == "supervisor stack: No job no-such-job runs or waits in this worker.\n"


def content(path: Path) -> dict[str, str]:
    with tarfile.open(path) as tar:
        return {
            member.name.partition("/")[2]: file.read().decode()
            for member in tar
            if (file := tar.extractfile(member)) is not None
        }


async def test_a_support_bundle_has_the_job_and_its_stack_and_no_secret_that_was_planted(
    live: Setup, hanging: str, tmp_path: Path
) -> None:
    path, planted = tmp_path / "bundle.tar.gz", live.worker.state_dir / "notes"
    planted.write_text("of-a-file-1842")
    variables = {
        "DEVICE_PASSWORD": "of-the-environment-1842",
        "HTTP_PROXY": "http://u:of-the-proxy@127.0.0.1:9",
    }
    try:
        code, _, stderr = await ask(live, "support-bundle", hanging[:12], "--output", str(path), **variables)
    finally:
        planted.unlink()
    assert (code, stderr) == (0, "")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    found = content(path)
    assert "job/job.json" in found, found["README.txt"]
    assert json.loads(found["job/job.json"])["job"]["job_id"] == hanging
    assert "job/ended" not in found["README.txt"]  # nothing is missing of the end of a job that runs
    assert "Awaiting in task block" in json.loads(found["job/stack.json"])["stack"]
    assert json.loads(found["status.json"])["pid"] == live.worker.supervisor_pid
    assert hanging in {claim["job_id"] for claim in json.loads(found["journal.json"])["claims"]}
    assert json.loads(found["doctor.json"])["checks"]
    assert "settings-of-the-worker.json" in found
    assert "notes" in {entry["name"] for entry in json.loads(found["state-directory.json"])["entries"]}
    control_secret = (live.worker.state_dir / "run" / "control.secret").read_text().strip()
    for secret in (SECRET, *variables.values(), "of-the-proxy", "of-a-file-1842", control_secret):
        assert not [name for name, text in found.items() if secret in text]


async def test_a_support_bundle_is_made_without_a_worker_too_and_says_what_it_lacks(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    words = [
        "support-bundle",
        "--state-dir",
        str(tmp_path / "state"),
        "--output",
        str(tmp_path / "b.tar.gz"),
        "--json",
    ]
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "supervisor", *words],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    left_out = json.loads(done.stdout)["left_out"]
    found = content(tmp_path / "b.tar.gz")
    assert {"versions.json", "settings-here.json", "doctor.json", "kernel.json", "README.txt"} <= found.keys()
    assert {"status.json", "jobs.json", "journal.json"} <= {line.partition(":")[0] for line in left_out}
    assert all(line in found["README.txt"] for line in left_out)
