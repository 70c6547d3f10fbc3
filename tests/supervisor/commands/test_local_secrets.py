"""What `supervisor local` has of jobs' secrets is for its user alone: the others of the machine read nothing."""

import asyncio
import contextlib
import json
import os
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from local_support import Running, announced_in, ask, programs_of, run_job, running, submit

from sdk.devengine import DevEngine, EngineOptions
from sdk.testing.daemon import SupervisorProcess
from supervisor.commands.local.announcement import Announcement, announced
from supervisor.process.kernel_isolation import detect
from tests.capabilities import NOBODY
from tests.patience import PATIENCE_SECONDS, wait_until
from tests.tokens import routes_of

READY = r"ready, the engine is at (http://127\.0\.0\.1:\d+)\."
SECRET = "canary-4711-of-the-job"
BLOCK = """
from typing import Annotated
from sdk import (
    SENSITIVE, FunctionBlock, FunctionBlockParams, FunctionBlockResult, FunctionBlockResultData, Registration,
    register_function_block,
)
class Inner(FunctionBlockParams):
    words: list[Annotated[str, SENSITIVE]] = []
class Params(FunctionBlockParams):
    phrase: Annotated[str, SENSITIVE]
    inner: Inner = Inner()
    shown: str = ""
class Data(FunctionBlockResultData):
    length: int
    phrase: str
@register_function_block(Registration(package="acme", name="unlock", description="", run_on="global",
    fb_type="none", param_cls=Params, result_cls=Data))
class Unlock(FunctionBlock[Params, Data]):
    async def run(self, params, context):
        data = Data(length=len(params.phrase), phrase=params.phrase)
        return FunctionBlockResult(success=True, message=f"unlocked by {params.phrase}", data=data)
@register_function_block(Registration(package="acme", name="rotate", description="", run_on="device",
    fb_type="none", param_cls=FunctionBlockParams, result_cls=FunctionBlockResultData))
class Rotate(FunctionBlock[FunctionBlockParams, FunctionBlockResultData]):
    async def run(self, params, context):
        context.device.password = "canary-%d-of-the-block" % 4712
        return FunctionBlockResult(success=True, message=f"set {context.device.password}")
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "unlock.py").write_text(BLOCK)
    return tmp_path


@pytest.fixture
def command(home: Path) -> Iterator[Running]:
    """A `supervisor local` that is ready."""
    with running(home, *local()) as command:
        command.wait_for(READY)
        yield command


def local(*more: str) -> tuple[str, ...]:
    return ("local", "--port", "0", "--function-blocks", "unlock.py", *more)


def unlock(home: Path) -> dict[str, object]:
    parameters = {"phrase": SECRET, "inner": {"words": [SECRET]}, "shown": "this"}
    return run_job(home, "acme/unlock:1", parameters=parameters)


def wait_until_put_away(home: Path) -> None:
    """Wait until the directory of the first job is gone: a look at what vanishes meanwhile would fail."""
    jobs = home / "state" / "neops-local" / "worker" / "jobs"
    wait_until(lambda: not list(jobs.glob("*-1")), lambda: f"still there: {list(jobs.iterdir())}")


@pytest.mark.usefixtures("command")
def test_what_a_block_marks_is_masked_in_what_is_shown_and_the_block_gets_it(home: Path) -> None:
    job = unlock(home)
    assert job["parameters"] == {"phrase": "***", "inner": {"words": "***"}, "shown": "this"}
    result = job["result"]["result"]  # type: ignore[index]
    assert (result["data"]["length"], result["message"]) == (len(SECRET), "unlocked by ***")
    assert SECRET not in json.dumps(job)
    assert SECRET not in json.dumps(ask(announced_in(home), f"/blackboard/jobs/{job['jobId']}/result"))
    done = submit(home, "unlock", "--params", json.dumps({"phrase": SECRET}), "--wait")
    assert (done.returncode, json.loads(done.stdout)["data"]) == (0, {"length": len(SECRET), "phrase": "***"})
    assert SECRET not in done.stdout + done.stderr


@pytest.mark.usefixtures("command")
def test_a_password_that_a_block_has_set_is_not_in_what_submit_prints(home: Path) -> None:
    context = json.dumps({"devices": [{"id": 1, "hostname": "r1", "password": "canary-4710-before"}]})
    done = submit(home, "rotate", "--context", context, "--wait")
    assert (done.returncode, "canary" in done.stdout + done.stderr) == (0, False), done.stderr
    report = json.loads(done.stdout)
    assert report["message"] == "set ***"
    assert [(each["path"], each["value"]) for each in report["db_updates"]] == [("password", "***")]


STRANGER = """
import encodings.idna, http.client, json, os, sys
given = json.load(sys.stdin)
os.setgroups([]); os.setgid({nobody}); os.setuid({nobody})
answers = []
for method, path in given["routes"]:
    connection = http.client.HTTPConnection(given["address"], timeout=120)
    body = "{{}}" if method == "POST" else None
    connection.request(method, path, body, {{"Content-Type": "application/json"}})
    answer = connection.getresponse()
    answers.append([answer.status, answer.read().decode()])
read = []
for file in given["files"]:
    try:
        open(file).read()
        read.append(file)
    except PermissionError:
        pass
json.dump({{"answers": answers, "read": read}}, sys.stdout)
"""


@pytest.mark.needs("other users")
@pytest.mark.usefixtures("command")
async def test_another_user_of_this_machine_reads_nothing(home: Path) -> None:
    job_id = (await asyncio.to_thread(unlock, home))["jobId"]
    await asyncio.to_thread(wait_until_put_away, home)
    async with DevEngine(EngineOptions(test_controls=True)) as engine:
        routes = [*routes_of(engine), ("GET", f"/dev/jobs/{job_id}"), ("GET", "/nothing")]
    announcement = announced_in(home)
    state = home / "state" / "neops-local"
    # Directories are open, as they are where a user has made his state directory himself.
    for directory in (home, *home.parents, *(path for path in home.rglob("*") if path.is_dir())):
        if "pytest" in str(directory):
            directory.chmod(0o755)
    files = [str(file) for file in state.rglob("*") if file.is_file()]
    assert str(announcement.token_file) in files
    given = {"address": announcement.url.removeprefix("http://"), "routes": routes, "files": files}
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", STRANGER.format(nobody=NOBODY)],
        cwd="/",
        input=json.dumps(given),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    statuses = [(path, status) for (_, path), (status, _) in zip(routes, found["answers"], strict=True)]
    assert len(statuses) > 50
    assert {path for path, status in statuses if status == 200} == {"/health", "/health/"}
    assert {status for _, status in statuses} == {200, 401}
    # Where engines run here: an address, and paths.
    assert {Path(file).parent.name for file in found["read"]} <= {"running"}
    # The answers are said without the secret and without the token, and do not say where that is.
    assert SECRET not in done.stdout
    assert announcement.token_file.read_text().strip() not in done.stdout
    assert str(announcement.token_file) not in done.stdout


def test_files_are_for_their_owner_alone_whatever_the_umask_is(home: Path) -> None:
    before = os.umask(0)
    try:
        with running(home, *local()) as command:
            command.wait_for(READY)
            unlock(home)
            wait_until_put_away(home)
            state = home / "state" / "neops-local"
            modes = {
                str(path.relative_to(state)): stat.S_IMODE(path.stat().st_mode) for path in state.rglob("*")
            }
            modes[""] = stat.S_IMODE(state.stat().st_mode)
            assert command.end() == 0
    finally:
        os.umask(before)
    ours = {name: mode for name, mode in modes.items() if not name.startswith("worker/jobs/")}
    assert ours["engine.token"] == ours["engine.sqlite3"] == ours["engine.sqlite3-wal"] == 0o600
    assert {name: mode for name, mode in ours.items() if name in ("", "worker", "running")} == dict.fromkeys(
        ("", "worker", "running"), 0o700
    )


def test_the_token_is_in_no_command_line_no_environment_and_no_text(home: Path) -> None:
    with running(home, *local("--log-level", "debug")) as command:
        command.wait_for(READY)
        unlock(home)
        file = announced_in(home).token_file
        token = file.read_text().strip()
        processes = psutil.Process(command.process.pid).children(recursive=True)
        told = [
            Path(f"/proc/{process.pid}/{what}") for process in processes for what in ("cmdline", "environ")
        ]
        assert len(processes) > 3
        texts: dict[Path, bytes] = {}
        for path in told:
            # A worker that lets nobody dump it shows its environment to root alone, and not to its own user.
            with contextlib.suppress(FileNotFoundError, ProcessLookupError, PermissionError):
                texts[path] = path.read_bytes()
        assert len(texts) > len(processes)
        assert any(str(file).encode() in text for text in texts.values()), "the path may be told"
        assert command.end() == 0
    texts |= {path: path.read_bytes() for path in home.rglob("*") if path.is_file() and path != file}
    assert not [path for path, text in texts.items() if token.encode() in text]
    assert token not in "\n".join(command.lines)


def test_a_worker_goes_on_when_the_engine_is_started_anew_with_a_new_token(
    home: Path, command: Running
) -> None:
    below, file = programs_of(command), announced_in(home).token_file
    before = file.read_text()
    os.kill(below["sdk.devengine"], 9)
    wait_until(lambda: file.read_text() != before, lambda: "\n".join(command.lines), PATIENCE_SECONDS)
    command.wait_for("is started again in")
    done = submit(home, "unlock", "--params", json.dumps({"phrase": SECRET}), "--wait")
    assert done.returncode == 0, done.stderr
    assert programs_of(command)["supervisor"] == below["supervisor"]
    assert "with 401" not in "\n".join(command.lines)


async def test_a_worker_of_its_own_reads_the_token_of_the_next_engine(home: Path) -> None:
    token_file = home / "token"
    engine = DevEngine(EngineOptions(database=home / "engine.sqlite3", token_file=token_file))
    await engine.start()
    settings = {
        "function_blocks": [home / "unlock.py"],
        "engine_token_file": token_file,
        "heartbeat_seconds": 0.2,
    }
    worker = SupervisorProcess(engine.url, home / "worker", settings)
    try:
        await asyncio.to_thread(worker.start)
        port, tokens = int(engine.url.rpartition(":")[2]), set()
        for _ in range(2):
            tokens.add(token_file.read_text().strip())
            job = await engine.wait_for_result(
                engine.submit(block="acme/unlock:1.0.0", parameters={"phrase": SECRET}), PATIENCE_SECONDS
            )
            assert job.result_status == "success"
            await engine.stop()
            await engine.start(port)
        assert len(tokens) == 2
        assert not [token for token in tokens if token in worker.log]
    finally:
        await asyncio.to_thread(worker.stop)
        await engine.stop()


def test_an_engine_cannot_be_opened_through_local(home: Path) -> None:
    with running(home, *local("--without-token")) as command:
        assert command.wait() == 2
    with running(home, *local(), NEOPS_WITHOUT_TOKEN="true", WITHOUT_TOKEN="1") as command:
        command.wait_for(READY)
        pid = programs_of(command)["sdk.devengine"]
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        assert b"--token-file" in words
        assert b"--without-token" not in words


def test_a_token_that_cannot_be_written_is_said_and_nothing_is_left_running(home: Path) -> None:
    place = home / "state" / "neops-local" / "engine.token"
    place.mkdir(parents=True)
    with running(home, *local()) as command:
        assert command.wait() == 1
    assert f"the file for the token, {place}, can't be written: Is a directory" in "\n".join(command.lines)


@pytest.mark.usefixtures("command")
def test_submit_takes_the_token_of_the_engine_that_runs_here_and_not_another_engine_s(home: Path) -> None:
    other = home / "token of the production"
    other.touch(0o600)
    other.write_text("canary-of-production")
    for environment in ({}, {"NEOPS_ENGINE_TOKEN_FILE": str(other)}):
        done = submit(home, "unlock", "--params", '{"phrase": "x"}', "--wait", **environment)
        assert done.returncode == 0, done.stderr
    announcement = announced_in(home)
    refused = submit(home, "unlock", "--engine-url", announcement.url, "--engine-token-file", str(other))
    assert refused.returncode == 2
    assert "answered a job with 401" in refused.stderr
    assert "which its user finds in the file that it names at its start" in refused.stderr
    # Another user of this machine gets the same answer.
    assert str(announcement.token_file) not in refused.stderr
    assert "canary" not in refused.stderr


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda file: file.unlink(), "does not exist"),
        (lambda file: file.write_text(""), "is empty"),
        (lambda file: (file.unlink(), file.mkdir()), "is a directory"),
        (lambda file: file.chmod(0o644), "is open to every user of this machine (mode 0644)"),
        pytest.param(
            # Root may use what the user of a service has written, where nobody else may.
            lambda file: (os.chown(file, NOBODY - 1, NOBODY - 1), file.chmod(0o640)),
            "is open to its group (mode 0640)",
            marks=pytest.mark.needs("other users"),
        ),
    ],
    ids=["missing", "empty", "a directory", "too open", "another user's for a group"],
)
def test_a_token_file_that_cannot_be_used_is_one_message_of_submit(
    home: Path, spoil: Callable[[Path], object], reason: str
) -> None:
    """It is read before anybody is asked anything: the engine need not be there."""
    file = home / "engine.token"
    file.touch(0o600)
    file.write_text("canary")
    spoil(file)
    engine = Announcement(
        url="http://127.0.0.1:9",
        pid=os.getpid(),
        command="local",
        started_at=time.time(),
        worker_log=home / "log",
        token_file=file,
    )
    with announced(home / "state" / "neops-local" / "running", engine):
        done = submit(home, "unlock", "--params", '{"phrase": "x"}')
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"supervisor submit: The file with the token for the engine, {file}, ")
    assert reason in line


READER = """
from sdk import (
    FunctionBlock, FunctionBlockParams, FunctionBlockResult, FunctionBlockResultData, Registration,
    register_function_block,
)
class Params(FunctionBlockParams):
    files: list[str]
class Data(FunctionBlockResultData):
    read: list[str]
@register_function_block(Registration(package="acme", name="reader", description="", run_on="global",
    fb_type="none", param_cls=Params, result_cls=Data))
class Reader(FunctionBlock[Params, Data]):
    async def run(self, params, context):
        return FunctionBlockResult(success=True, message="", data=Data(read=list(filter(is_read, params.files))))
def is_read(file):
    try:
        open(file, "rb").read(1)
    except PermissionError:
        return False
    return True
"""


@pytest.mark.skipif(detect().landlock_abi == 0, reason=f"no Landlock: {detect().no_landlock}")
def test_a_job_reads_nothing_of_what_the_command_keeps(home: Path) -> None:
    """The database has the parameters of all jobs, and an announcement says where those of the next ones go."""
    (home / "reader.py").write_text(READER)
    with running(home, "local", "--port", "0", "--function-blocks", "reader.py") as command:
        command.wait_for(READY)
        kept = [str(path) for path in (home / "state").rglob("*") if path.is_file()]
        assert {"engine.token", "engine.sqlite3", "worker.log"} <= {Path(path).name for path in kept}
        job = run_job(home, "acme/reader:1", parameters={"files": [str(home / "unlock.py"), *kept]})
    assert job["result"]["result"]["data"]["read"] == [str(home / "unlock.py")]
