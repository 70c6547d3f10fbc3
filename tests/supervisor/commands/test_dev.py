"""`supervisor dev`: reload on save, logs and results as they come."""

import json
import os
import pty
import re
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest
from commands_support import BASE
from local_support import clean_environment, run_job, running, submit, write_block

from supervisor.log.events.worker import Reloaded, ReloadRefused
from supervisor.log.format import JOB_LOG
from tests.patience import PATIENCE_SECONDS

READY = r'"event": "ready", .*"url": "http://127\.0\.0\.1:\d+"'
RELOADED = f'"event": "{Reloaded.name}"'


@pytest.fixture
def home(tmp_path: Path) -> Path:
    write_block(tmp_path / "greet.py")
    return tmp_path


def data_now(home: Path) -> object:
    """What the block returns now."""
    return run_job(home, "acme/greet:1")["result"]["result"]["data"]


def test_a_save_brings_new_code_and_a_changed_result_model(home: Path) -> None:
    with running(home, "dev", "--max-job-seconds", "60") as command:
        command.wait_for(READY)
        assert data_now(home) == {"text": "hello"}
        seen = len(command.lines)
        write_block(home / "greet.py", "'good bye'", field="words")
        command.wait_for(RELOADED, after=seen)
        assert data_now(home) == {"words": "good bye"}
        assert command.end() == 0
    results = [event["data"] for event in command.events("result")]
    assert results == [{"text": "hello"}, {"words": "good bye"}]
    said = [(event["logger"], event["message"]) for event in command.events(JOB_LOG)]
    assert said == [("greet", "greeting")] * 2
    assert "Traceback" not in "\n".join(command.lines)


def test_a_save_of_a_helper_module_counts_too(home: Path) -> None:
    (home / "parts").mkdir()
    helper = home / "parts" / "helper.py"
    helper.write_text("WORD = 'before'\n")
    write_block(home / "greet.py", "helper.WORD", imports="from parts import helper")
    with running(home, "dev") as command:
        command.wait_for(READY)
        assert data_now(home) == {"text": "before"}
        helper.write_text("WORD = 'after'\n")
        command.wait_for(RELOADED)
        assert data_now(home) == {"text": "after"}


def test_a_broken_save_is_shown_with_its_line_and_the_old_code_stays(home: Path) -> None:
    with running(home, "dev") as command:
        command.wait_for(READY)
        (home / "greet.py").write_text(f"x = 1\nraise RuntimeError('no luck')\n{BASE}")
        command.wait_for(f'"event": "{ReloadRefused.name}"')
        (refused,) = command.events(ReloadRefused.name)
        assert f"{home / 'greet.py'}:2: RuntimeError: no luck" in refused["reason"]
        assert refused["level"] == "ERROR"
        assert data_now(home) == {"text": "hello"}
        write_block(home / "greet.py", "'mended'")
        command.wait_for(RELOADED)
        assert data_now(home) == {"text": "mended"}


def test_where_there_is_no_block_yet_the_first_save_starts_the_worker(tmp_path: Path) -> None:
    with running(tmp_path, "dev") as command:
        command.wait_for("The worker could not start. It is started again when a file is saved")
        assert "No function blocks were found" in "\n".join(command.lines)
        write_block(tmp_path / "greet.py")
        command.wait_for(READY)
        assert data_now(tmp_path) == {"text": "hello"}
        assert command.end() == 0


def test_a_directory_that_is_not_there_is_wrong_usage(tmp_path: Path) -> None:
    with running(tmp_path, "dev", "nowhere") as command:
        assert command.wait() == 2
    assert command.lines == [
        f"supervisor dev: {tmp_path / 'nowhere'} does not exist. Give a directory of blocks, or a .py file."
    ]


def test_a_directory_that_can_not_be_reached_is_named_with_the_reason(tmp_path: Path) -> None:
    place = "b" * 300  # root may enter what is closed to others, so it is a name that no disk takes
    with running(tmp_path, "dev", place) as command:
        assert command.wait() == 2
    assert command.lines == [
        f"supervisor dev: {tmp_path / place} can't be reached (File name too long). "
        "Give a directory of blocks, or a .py file."
    ]


def test_a_directory_with_a_comma_in_its_name_is_refused_and_not_taken_for_two(tmp_path: Path) -> None:
    (tmp_path / "blocks,old").mkdir()
    with running(tmp_path, "dev", "blocks,old") as command:
        assert command.wait() == 2
    assert "blocks,old has a comma in it" in command.lines[0]


def test_on_a_terminal_it_is_text_with_the_result(home: Path) -> None:
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "supervisor", "dev", "greet.py"],
        cwd=home,
        env=clean_environment(home) | {"TERM": "xterm", "NO_COLOR": "1"},
        stdin=slave,
        stdout=slave,
        stderr=slave,
    )
    os.close(slave)
    try:
        shown = read_until(master, "Ready. The engine is at http://127.0.0.1:")
        assert submit(home, "greet").returncode == 0
        shown += read_until(master, '"text": "hello"')
        process.terminate()
        assert process.wait(PATIENCE_SECONDS) == 0
    finally:
        process.kill()
        process.wait()
        os.close(master)
    assert "greet greeting" in shown
    assert "greet success done" in shown
    assert "\x1b[" not in shown, "NO_COLOR is set"


def read_until(master: int, text: str) -> str:
    shown, end = "", time.monotonic() + PATIENCE_SECONDS
    while text not in shown:
        assert select.select([master], [], [], max(0, end - time.monotonic()))[0], shown
        # Bold and dim stay, without colours.
        shown += re.sub(r"\x1b\[[012]?m", "", os.read(master, 65536).decode(errors="replace"))
    return shown


def test_when_nobody_reads_its_output_any_more_the_worker_goes_on(home: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "supervisor", "dev"],
        cwd=home,
        env=clean_environment(home),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert any(json.loads(line)["event"] == "ready" for line in process.stdout)
        process.stdout.close()
        for _ in range(2):
            assert run_job(home, "acme/greet:1")["resultStatus"] == "success"
        process.terminate()
        assert process.wait(PATIENCE_SECONDS) == 0
    finally:
        process.kill()
        process.wait()
