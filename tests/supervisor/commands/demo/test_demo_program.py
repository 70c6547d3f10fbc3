"""The programs of the demo: started apart from this machine's settings, and ended in any case."""

import asyncio
import json
import os
import signal
from pathlib import Path

import pytest

from supervisor.commands.demo.environment import program_environment
from supervisor.commands.demo.worker_log import WorkerLog
from supervisor.commands.local.worker_lines import for_people
from supervisor.commands.shared.program import Program, ProgramError
from supervisor.log.events.jobs import JobEnded, JobNotRun
from supervisor.log.events.worker import StartRefused
from supervisor.settings.marks import MARK_VARIABLE

SAYS = "print('ready at 7', flush=True)\n"
STUBBORN = "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + SAYS + "time.sleep(60)\n"


async def start(folder: Path, source: str, *, stdin_line: str = "") -> Program:
    (folder / "made_up.py").write_text(source)
    return await Program.start(
        "thing",
        ["made_up"],
        environment=os.environ,
        directory=folder,
        on_line=lambda name, line: None,
        stdin_line=stdin_line,
        for_people=for_people,
    )


async def test_a_line_that_is_waited_for_is_returned_as_a_match(tmp_path: Path) -> None:
    program = await start(tmp_path, SAYS)
    match = await program.wait_for_line(r"^ready at (\d+)$", 10)
    assert match[1] == "7"
    assert await program.stop(10) in (0, -signal.SIGTERM)


async def test_a_line_that_is_waited_for_is_found_however_many_come_with_it(tmp_path: Path) -> None:
    """All in one write, so in one read: `last_words` keeps less than what stands behind the line."""
    source = "import time\nprint('ready at 7\\n' + 'more\\n' * 100, flush=True)\ntime.sleep(60)\n"
    program = await start(tmp_path, source)
    match = await program.wait_for_line(r"^ready at (\d+)$", 10)
    assert match[1] == "7"
    await program.stop(10)


async def test_a_program_that_ends_too_early_is_named_with_its_last_words(tmp_path: Path) -> None:
    program = await start(tmp_path, "raise SystemExit('no such device')")
    with pytest.raises(ProgramError) as caught:
        await program.wait_for_line("ready", 10)
    assert str(caught.value) == "The thing ended with exit code 1 before it was ready.\n    no such device"
    assert not program.is_running
    await program.stop(1)


async def test_the_last_words_of_a_worker_are_shown_as_people_read_its_log(tmp_path: Path) -> None:
    line = log_line("supervisor.commands.daemon", StartRefused.name, reason="as people read it")
    program = await start(tmp_path, f"raise SystemExit({line!r})")
    with pytest.raises(ProgramError) as caught:
        await program.wait_for_line("ready", 10)
    assert str(caught.value).endswith(
        f"supervisor.commands.daemon: as people read it event={StartRefused.name}"
    )
    assert "{" not in str(caught.value)
    await program.stop(1)


async def test_a_program_that_stays_silent_is_not_waited_for_without_end(tmp_path: Path) -> None:
    program = await start(tmp_path, "import time; time.sleep(60)")
    with pytest.raises(ProgramError, match=r"The thing was not ready within 0\.1 s\."):
        await program.wait_for_line("ready", 0.1)
    await program.stop(10)


async def test_a_program_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    program = await start(tmp_path, STUBBORN)
    await program.wait_for_line("ready", 10)
    assert await program.stop(0.1) == -signal.SIGKILL


async def test_stopping_twice_gives_the_same_exit_code(tmp_path: Path) -> None:
    program = await start(tmp_path, STUBBORN)
    await program.wait_for_line("ready", 10)
    assert [await program.stop(0.1), await program.stop(0.1)] == [-signal.SIGKILL] * 2


async def test_a_cancelled_stop_kills_at_once(tmp_path: Path) -> None:
    program = await start(tmp_path, STUBBORN)
    await program.wait_for_line("ready", 10)
    stop = asyncio.create_task(program.stop(60))
    await asyncio.sleep(0)
    stop.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stop
    assert await program.stop(10) == -signal.SIGKILL


async def test_what_a_program_reads_is_the_one_line_it_is_given(tmp_path: Path) -> None:
    program = await start(tmp_path, "import sys; print(repr(sys.stdin.read()))", stdin_line="s3cret")
    assert await program.wait_for_line(r"^'s3cret\\n'$", 10)
    await program.stop(10)


def test_programs_do_not_see_the_settings_of_a_worker_that_is_configured_here() -> None:
    source = {
        "PATH": "/bin",
        "NEOPS_ENGINE_URL": "x",
        "URL_BLACKBOARD": "x",
        "NOTIFY_SOCKET": "x",
        "https_proxy": "x",
    }
    passed = program_environment(source, "mark")
    assert passed.keys() - {"PYTHONPATH"} == {"PATH", MARK_VARIABLE}
    assert passed[MARK_VARIABLE] == "mark"


def log_line(logger: str, event: str, **facts: str) -> str:
    own = {"time": "2026-01-01T00:00:00+00:00", "level": "INFO", "logger": logger, "event": event}
    return json.dumps({**own, "message": "as people read it", **facts})


def test_the_worker_s_log_tells_the_cause_of_each_job() -> None:
    log = WorkerLog()
    for line in (
        log_line("supervisor.worker.dispatch", JobEnded.name, job="a-1", cause="completed"),
        log_line("supervisor.worker.dispatch", JobEnded.name, job="b", cause="time_limit"),
        log_line("supervisor.worker.dispatch", JobNotRun.name, job="c", cause="quarantined"),
        # What a block says, even if it speaks of a job's end.
        log_line("job", JobEnded.name, job="d", cause="completed"),
        "The worker ended.",
    ):
        log.hear(line)
    assert log.causes == {"a-1": "completed", "b": "time_limit", "c": "quarantined"}
