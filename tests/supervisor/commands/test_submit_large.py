"""`supervisor submit` where the engine has much to tell, or does not tell of one job among many."""

import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from local_support import running, submit_here, write_block

LARGE = 5_000_000
"""More than an answer to a worker may have, and less than a result may have."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A directory in which a worker and an engine run, with a block that returns much where it is to wait."""
    folder = tmp_path_factory.mktemp("large")
    write_block(folder / "greet.py", f"'x' * ({LARGE} if params.seconds else 5)")
    with running(folder, "dev") as command:
        command.wait_for('"event": "ready"')
        yield folder


def test_a_result_as_large_as_a_worker_may_send_is_printed(home: Path) -> None:
    done = submit_here(home, "greet", "--wait", "--params", '{"seconds": 0.001}')
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)["data"]["text"]) == LARGE


def test_a_large_result_among_many_is_a_line_as_each_other_one(home: Path) -> None:
    lines = [json.dumps({"params": {"seconds": 0.001 if number == 3 else 0}}) for number in range(1, 9)]
    (home / "jobs.jsonl").write_text("\n".join(lines))
    done = submit_here(home, "greet", "--jobs", "jobs.jsonl", "--wait")
    assert done.returncode == 0, done.stderr
    reports = map(json.loads, done.stdout.splitlines())
    texts = {report["line"]: len(report["data"]["text"]) for report in reports}
    assert texts == {number: LARGE if number == 3 else 5 for number in range(1, 9)}


class Engine(http.server.BaseHTTPRequestHandler):
    """One that has much to say of its block, and has forgotten the second of its jobs."""

    def do_GET(self) -> None:
        if self.path.startswith("/function-blocks/"):
            block = {"id": "acme/greet:1.0.0", "runOn": "global", "markdownHelpText": "x" * LARGE}
            self.reply(200, [block])
        elif self.path.startswith("/dev/jobs/job-2?"):
            self.reply(404, {"statusCode": 404, "message": "the engine does not know this job"})
        else:
            self.reply(200, {"status": "pushed", "result": {"result": {"success": True}}})

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        count = len(asked) if isinstance(asked, list) else 1
        self.reply(201, {"jobIds": [f"job-{number}" for number in range(1, count + 1)]})

    def reply(self, status: int, body: object) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None: ...


@contextmanager
def engine() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Engine) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()


def test_a_list_of_blocks_with_much_help_names_each_block(tmp_path: Path) -> None:
    with engine() as url:
        done = submit_here(tmp_path, "greet", "--engine-url", url)
    assert (done.returncode, json.loads(done.stdout)["block"]) == (0, "acme/greet:1.0.0"), done.stderr


def test_a_job_of_many_that_the_engine_does_not_tell_of_keeps_no_other_from_being_reported(
    tmp_path: Path,
) -> None:
    (tmp_path / "jobs.jsonl").write_text("{}\n" * 20)
    with engine() as url:
        done = submit_here(tmp_path, "greet", "--jobs", "jobs.jsonl", "--wait", "--engine-url", url)
    reports = [json.loads(line) for line in done.stdout.splitlines()]
    assert [report["line"] for report in reports if report["success"]] == [1, *range(3, 21)]
    assert (done.returncode, "and 1 results are not known" in done.stderr) == (2, True), done.stderr
    assert "the engine does not know this job" in done.stderr
