"""`supervisor submit`."""

import http.server
import json
import os
import re
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from local_support import announced_in, ask, clean_environment, running, submit, write_block

from supervisor.commands.blockserver.block_lookup import NoSuchBlockError
from supervisor.commands.local.announcement import Announcement, announced, running_engines
from supervisor.commands.submit import command as submit_command
from supervisor.commands.submit import job_follower
from supervisor.commands.submit.block_lookup import choose_offered
from supervisor.engine.submission import OfferedBlock
from tests.patience import PATIENCE_SECONDS, wait_until

SECRET = "Trellis-Wagon-1842"
LOGIN = f"svc:{SECRET}"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A directory in which a worker and an engine run, with one block."""
    folder = tmp_path_factory.mktemp("submit")
    write_block(folder / "greet.py")
    with running(folder, "dev") as command:
        command.wait_for('"event": "ready"')
        yield folder


@dataclass(frozen=True)
class Said:
    code: int
    stdout: str
    stderr: str


SubmitHere = Callable[..., Said]


@pytest.fixture
def submit_here(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> SubmitHere:
    """Run the command in this process: for what it refuses, which needs no process of its own."""

    def run(folder: Path, *arguments: str, **environment: str) -> Said:
        monkeypatch.chdir(folder)
        given = {"XDG_STATE_HOME": str(folder / "state"), "no_proxy": "", "NO_PROXY": "", **environment}
        for name in ("STATE_DIRECTORY", "URL_BLACKBOARD", "NEOPS_ENGINE_URL"):
            monkeypatch.delenv(name, raising=False)
        for name, value in given.items():
            monkeypatch.setenv(name, value)
        try:
            code = submit_command.run(list(arguments))
        except SystemExit as end:
            code = int(end.code or 0)
        return Said(code, *capsys.readouterr())

    return run


def test_a_success_is_exit_code_0_with_one_json_object_and_its_log_on_stderr(home: Path) -> None:
    done = submit(home, "greet", "--wait", "--params", '{"seconds": 0.5}')
    report = json.loads(done.stdout)
    assert (done.returncode, report["success"], report["data"]) == (0, True, {"text": "hello"})
    assert (report["block"], report["cause"]) == ("acme/greet:1.0.0", "completed")
    assert "greet greeting" in done.stderr


def test_a_failed_result_is_exit_code_1(home: Path) -> None:
    done = submit(home, "acme/greet:1", "--wait", "--params", '{"fails": true}', "--json")
    report = json.loads(done.stdout)
    assert (done.returncode, report["success"], report["cause"]) == (1, False, "block_failed")


def test_many_jobs_are_submitted_at_once_and_each_result_is_a_json_line_with_the_number_of_its_line(
    home: Path,
) -> None:
    lines = [json.dumps({"params": {"fails": number == 3}}) for number in range(1, 51)]
    (home / "jobs.jsonl").write_text("\n".join(lines))
    done = submit(home, "greet", "--jobs", "jobs.jsonl", "--wait")
    reports = [json.loads(line) for line in done.stdout.splitlines()]
    assert sorted(report["line"] for report in reports) == list(range(1, 51))
    assert [report["line"] for report in reports if not report["success"]] == [3]
    assert {report["cause"] for report in reports} == {"completed", "block_failed"}
    assert (done.returncode, "49 succeeded, 1 failed, 0 have no result yet" in done.stderr) == (1, True)


def test_a_job_of_many_that_does_not_end_in_time_is_told_without_a_success(home: Path) -> None:
    lines = '{"params": {}}\n{"params": {"seconds": 60}}\n'
    done = submit(home, "greet", "--jobs", "-", "--wait", "--timeout-seconds", "4", stdin=lines)
    reports = {report["line"]: report for report in map(json.loads, done.stdout.splitlines())}
    assert (done.returncode, reports[1]["success"], reports[2]["success"]) == (2, True, None)


def test_where_one_line_is_bad_no_job_is_submitted_and_every_bad_line_is_named(
    home: Path, submit_here: SubmitHere
) -> None:
    (home / "bad.jsonl").write_text(
        '{"block": "greet"}\n{"block": "gret"}\n{"block": "greet", "run_on": "device"}\n'
    )
    done = submit_here(home, "--jobs", "bad.jsonl")
    assert (done.code, done.stdout) == (2, "")
    assert "line 2: " in done.stderr
    assert "gret" in done.stderr
    assert "line 3: acme/greet:1.0.0 runs on a device" in done.stderr
    assert "line 1" not in done.stderr
    assert "No job was submitted." in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "supervisor submit: BLOCK: name the block to run, or give --jobs"),
        (("--jobs", "nowhere"), "--jobs: file nowhere can't be read: No such file"),
        (("--jobs", "-", "--params", "{}"), "--params: with --jobs, each line says that itself, as 'params'"),
    ],
)
def test_a_command_line_that_means_no_jobs_is_refused(
    tmp_path: Path, submit_here: SubmitHere, arguments: tuple[str, ...], said: str
) -> None:
    done = submit_here(tmp_path, *arguments)
    assert (done.code, said in done.stderr) == (2, True), done.stderr


def test_without_wait_the_id_of_the_job_is_answered_at_once(home: Path) -> None:
    done = submit(home, "acme/greet")
    answer = json.loads(done.stdout)
    assert (done.returncode, set(answer)) == (0, {"engine", "job", "block", "result_url"})
    assert answer["result_url"] == f"{answer['engine']}/dev/jobs/{answer['job']}"


def test_a_result_that_does_not_come_in_time_is_exit_code_2_and_the_job_goes_on(home: Path) -> None:
    # Long enough for the worker to have asked for it.
    done = submit(home, "greet", "--wait", "--timeout-seconds", "3", "--params", '{"seconds": 60}')
    assert (done.returncode, done.stdout) == (2, "")
    assert "has no result after 3 s: it runs. The job goes on without this command. See http:" in done.stderr


def test_a_job_that_the_worker_has_no_room_for_waits_for_a_slot(tmp_path: Path) -> None:
    write_block(tmp_path / "greet.py")
    with running(tmp_path, "dev", "--max-concurrent-jobs", "1") as command:
        command.wait_for('"event": "ready"')
        assert submit(tmp_path, "greet", "--params", '{"seconds": 60}').returncode == 0
        command.wait_for("greeting")
        done = submit(tmp_path, "greet", "--wait", "--timeout-seconds", "0.3")
    assert done.returncode == 2
    assert "has no result after 0.3 s: it waits for a slot. The job goes on without" in done.stderr


def test_a_job_whose_block_the_worker_no_longer_has_is_told_to_wait_for_a_worker(tmp_path: Path) -> None:
    """Its registration is still there, of a worker that is online."""
    write_block(tmp_path / "greet.py")
    (tmp_path / "wave.py").write_text((tmp_path / "greet.py").read_text().replace("greet", "wave"))
    blocks = ("--function-blocks", str(tmp_path), "--port", "0")
    with running(tmp_path, "local", *blocks) as command:
        command.wait_for("worker is ready")
    (tmp_path / "greet.py").unlink()
    with running(tmp_path, "local", *blocks) as command:
        command.wait_for("worker is ready")
        engine = announced_in(tmp_path)
        (job_id,) = ask(engine, "/dev/jobs", {"block": "acme/greet:1.0.0"})["jobIds"]
        # It has polled once then.
        wait_until(lambda: ask(engine, f"/dev/jobs/{job_id}")["waitsFor"] == "worker")
        mistyped = submit(tmp_path, "gret")
        done = submit(tmp_path, "greet", "--wait", "--timeout-seconds", "0.3")
    assert "acme/wave:1.0.0" in mistyped.stderr
    assert "greet" not in mistyped.stderr, "what is gone is not suggested"
    assert done.returncode == 2
    assert "no worker that runs now offers acme/greet:1.0.0." in done.stderr
    assert "it waits for a worker that offers its block" in done.stderr


def test_a_ctrl_c_while_waiting_says_that_the_job_goes_on_and_where_its_result_is(home: Path) -> None:
    # As at a terminal: who runs these tests in the background has the signal ignored by all that is started.
    at_a_terminal = ("env", "--default-signal=INT", sys.executable, "-m", "supervisor")
    waiting = subprocess.Popen(
        [*at_a_terminal, "submit", "greet", "--wait", "--params", '{"seconds": 60}'],
        cwd=home,
        env=clean_environment(home),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert waiting.stderr is not None
    try:
        assert any("greeting" in line for line in waiting.stderr)
        waiting.send_signal(signal.SIGINT)
        said = waiting.stderr.read()
        assert waiting.wait(PATIENCE_SECONDS) == 130
    finally:
        waiting.kill()
        waiting.wait()
        waiting.stderr.close()
    assert re.search(r"Job (\S+) goes on without this command\. Its result: http://\S+/dev/jobs/\1", said)


def test_an_engine_s_address_of_another_kind_is_refused_as_such(
    tmp_path: Path, submit_here: SubmitHere
) -> None:
    said = submit_here(tmp_path, "greet", "--engine-url", "ftp://example/x")
    assert said.code == 2
    assert "ftp://example/x is no URL of an engine. Give one such as http://" in said.stderr


def test_parameters_come_from_stdin_and_from_a_file(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "params.json"
    file.write_text('{"fails": true}')
    assert submit(home, "greet", "--wait", "--params", f"@{file}").returncode == 1
    assert submit(home, "greet", "--wait", "--params", "-", stdin='{"fails": true}').returncode == 1


def test_an_engine_that_goes_away_and_stays_away_leaves_the_job_s_id_and_where_to_look(
    tmp_path: Path, submit_here: SubmitHere, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_follower, "_AWAY_SECONDS", 0.5)
    write_block(tmp_path / "greet.py")
    with running(tmp_path, "dev") as command:
        command.wait_for('"event": "ready"')

        def end() -> None:
            command.wait_for("greeting")
            command.process.kill()

        ending = threading.Thread(target=end)
        ending.start()
        said = submit_here(tmp_path, "greet", "--wait", "--params", '{"seconds": 600}')
        ending.join(PATIENCE_SECONDS)
    assert (said.code, said.stdout) == (2, "")
    assert re.search(
        r"Job (\S+) was submitted, and its result is not known here\. .*refused\. "
        r"When the engine answers again, see http://\S+/dev/jobs/\1 ",
        said.stderr,
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("gret",), "Did you mean acme/greet:1.0.0?"),
        (("greet:2",), "There is no block"),
        (("greet", "--params", "{"), "--params: the text is not JSON"),
        (("greet", "--run-on", "device"), "runs on a device, and this job has none. Give one with --context"),
        (("greet", "--engine-url", "http://127.0.0.1:1"), "can't connect to 127.0.0.1:1"),
        (("greet", "--engine-url", "http://engine..corp"), "http://engine..corp is no URL of an engine."),
        (("greet", "--type", "eat"), "--type"),
    ],
)
def test_what_can_not_be_submitted_is_one_message_and_exit_code_2(
    home: Path, submit_here: SubmitHere, arguments: tuple[str, ...], words: str
) -> None:
    done = submit_here(home, *arguments)
    assert (done.code, done.stdout) == (2, "")
    assert words in done.stderr


def test_an_engine_that_runs_here_goes_before_the_one_of_the_environment(home: Path) -> None:
    done = submit(home, "greet", URL_BLACKBOARD="http://127.0.0.1:1", HTTP_PROXY="http://127.0.0.1:1")
    assert done.returncode == 0, done.stderr


def test_without_an_engine_the_way_to_one_is_said(tmp_path: Path, submit_here: SubmitHere) -> None:
    done = submit_here(tmp_path, "greet")
    assert done.code == 2
    assert "Start one with `supervisor dev`" in done.stderr


def test_without_an_engine_it_is_said_where_one_was_looked_for_and_why_there(
    tmp_path: Path, submit_here: SubmitHere, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = tmp_path / "elsewhere"
    assert f"{at}/neops-local/running (XDG_STATE_HOME is {at})" in (
        submit_here(tmp_path, "greet", XDG_STATE_HOME=str(at)).stderr
    )
    monkeypatch.setenv("HOME", str(tmp_path))
    said = submit_here(tmp_path, "greet", XDG_STATE_HOME="").stderr
    assert f"{tmp_path}/.local/state/neops-local/running (XDG_STATE_HOME is not set)" in said
    assert "--engine-url and --engine-token-file" in said


class NeopsEngine(http.server.BaseHTTPRequestHandler):
    """Answers as an engine does that knows blocks and takes no single jobs."""

    listing = 200

    def do_GET(self) -> None:
        self.reply(self.listing, [{"id": "acme/greet:1.0.0", "runOn": "global", "workers": []}])

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"] or 0))
        self.reply(404, {"statusCode": 404, "message": "Cannot POST /dev/jobs"})

    def reply(self, status: int, body: object) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None: ...


@contextmanager
def neops_engine(listing: int, kind: type[NeopsEngine] = NeopsEngine) -> Iterator[str]:
    handler = type("Handler", (kind,), {"listing": listing})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()


@pytest.mark.parametrize("listing", [200, 401, 404])
def test_an_engine_that_takes_no_single_jobs_is_named_as_such(
    tmp_path: Path, submit_here: SubmitHere, listing: int
) -> None:
    with neops_engine(listing) as url:
        done = submit_here(tmp_path, "greet", URL_BLACKBOARD=url)
    assert done.code == 2
    assert f"The engine at {url} takes no single jobs (404)" in done.stderr


class TakingEngine(NeopsEngine):
    """Answers as an engine does that takes single jobs."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"] or 0))
        self.reply(201, {"jobIds": ["job-1"]})


def test_the_login_in_the_engine_s_address_is_told_nowhere(tmp_path: Path, submit_here: SubmitHere) -> None:
    (tmp_path / "jobs.jsonl").write_text("{}")
    many = ("greet", "--jobs", "jobs.jsonl")
    with neops_engine(200) as url:
        refused = submit_here(tmp_path, "greet", URL_BLACKBOARD=with_login(url))
        assert f"The engine at {with_login(url, '***')} takes no single jobs (404)" in refused.stderr
    with neops_engine(200, TakingEngine) as url:
        taken = [submit_here(tmp_path, *each, URL_BLACKBOARD=with_login(url)) for each in (("greet",), many)]
        told = [json.loads(each.stdout) for each in taken]
        assert [each["engine"] for each in told] == [with_login(url, "***")] * 2
        assert [each["result_url"] for each in told] == [f"{with_login(url, '***')}/dev/jobs/job-1"] * 2
    wrong = submit_here(tmp_path, "greet", "--engine-url", with_login("http//x", LOGIN, "//"))
    assert "***@x is no URL of an engine" in wrong.stderr
    said = [text for each in (refused, wrong, *taken) for text in (each.stdout, each.stderr)]
    assert not [text for text in said if SECRET in text]


def test_a_user_in_the_engine_s_address_beside_a_token_is_one_message_and_exit_code_2(
    tmp_path: Path, submit_here: SubmitHere
) -> None:
    token = tmp_path / "token"
    token.touch(0o600)
    token.write_text("swordfish")
    url = with_login("http://127.0.0.1:1")
    done = submit_here(tmp_path, "greet", "--engine-url", url, "--engine-token-file", str(token))
    assert done.code == 2
    (said,) = done.stderr.splitlines()
    assert said.startswith("supervisor submit: --engine-url has a user, and --engine-token-file a token")
    assert SECRET not in said


def with_login(url: str, login: str = LOGIN, before: str = "://") -> str:
    return url.replace(before, f"{before}{login}@")


def announcement_in(directory: Path) -> Announcement:
    """One of this process, which is no engine."""
    return Announcement(
        url="http://127.0.0.1:1",
        pid=os.getpid(),
        command="local",
        started_at=1,
        worker_log=directory / "log",
        token_file=directory / "token",
    )


def test_an_announcement_is_there_for_as_long_as_its_process_says_so(tmp_path: Path) -> None:
    mine = announcement_in(tmp_path)
    newer = mine.model_copy(update={"pid": os.getppid(), "started_at": 2.0})
    with announced(tmp_path, mine), announced(tmp_path, newer):
        (tmp_path / "broken.json").write_text("{")
        os.mkfifo(tmp_path / "pipe.json")  # who opened it would wait for a writer
        (tmp_path / "4194304.json").write_text(mine.model_copy(update={"pid": 4194304}).model_dump_json())
        assert running_engines(tmp_path) == [newer, mine]
        assert not (tmp_path / "4194304.json").exists(), "nobody can have that number: it was left by a kill"
    assert running_engines(tmp_path) == []
    assert running_engines(tmp_path / "nowhere") == []


def test_an_announcement_of_a_process_whose_number_another_has_now_is_that_of_no_engine(
    tmp_path: Path,
) -> None:
    mine = announcement_in(tmp_path)
    with announced(tmp_path, mine):
        (file,) = tmp_path.glob("*.json")
        said = json.loads(file.read_text())
        file.write_text(json.dumps(said | {"process_began": "another-boot 123"}))
        assert running_engines(tmp_path) == []
        assert not file.exists()
        file.write_text(mine.model_dump_json())
        assert running_engines(tmp_path) == [mine], "an earlier version does not say when it began"


def test_nobody_else_may_read_where_engines_are_announced(tmp_path: Path) -> None:
    mine = announcement_in(tmp_path)
    with announced(tmp_path / "state" / "running", mine):
        for place in (tmp_path / "state", tmp_path / "state" / "running"):
            assert stat.S_IMODE(place.stat().st_mode) == 0o700


def offered(version: tuple[int, int, int], workers_online: int) -> OfferedBlock:
    return OfferedBlock("acme", "greet", version, "global", workers_online)


@pytest.mark.parametrize(
    ("wanted", "version"),
    [
        ("greet", (1, 10, 0)),
        ("greet:1", (1, 10, 0)),
        ("acme/greet:1.2", (1, 2, 3)),
        ("acme/greet:1.2.3", (1, 2, 3)),
    ],
)
def test_the_highest_version_that_a_worker_offers_is_chosen(
    wanted: str, version: tuple[int, int, int]
) -> None:
    known = [offered((2, 0, 0), 0), offered((1, 10, 0), 1), offered((1, 2, 3), 1)]
    assert choose_offered(known, wanted).version == version


def test_a_block_that_is_gone_is_not_suggested_and_can_be_meant_all_the_same() -> None:
    known = [
        OfferedBlock("acme", "greet", (1, 0, 0), "global", 1, is_gone=True),
        OfferedBlock("acme", "great", (1, 0, 0), "global", 1),
    ]
    assert choose_offered(known, "greet").name == "greet"
    with pytest.raises(NoSuchBlockError) as refused:
        choose_offered(known, "gret")
    assert refused.value.known == ("acme/great:1.0.0",)
    with pytest.raises(NoSuchBlockError) as refused:
        choose_offered(known[:1], "gret")
    assert refused.value.known == ("acme/greet:1.0.0",), "better than to say that there is none"


def test_of_two_versions_the_one_that_a_worker_still_has_is_chosen() -> None:
    known = [
        OfferedBlock("acme", "greet", (2, 0, 0), "global", 1, is_gone=True),
        OfferedBlock("acme", "greet", (1, 0, 0), "global", 1),
    ]
    assert choose_offered(known, "greet").version == (1, 0, 0)
