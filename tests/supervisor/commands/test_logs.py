"""`supervisor logs`: what is shown of a line, and a job of a worker that does not run any more."""

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from commands_support import supervisor, supervisor_here

from supervisor.commands.control.kept_jobs import kept_job
from supervisor.commands.logs.lines import Lines, text_of
from supervisor.journal.ended_jobs.ended_job import EndedJob
from supervisor.journal.ended_jobs.running_log import RunningLog, left_out_line
from supervisor.journal.ended_jobs.store import EndedJobs
from supervisor.log.events.jobs import JobMetBug


def a_log() -> RunningLog:
    log = RunningLog(lambda: 1700000000.5)
    log.take(20, "job_log", "asking", {"logger": "acme.ping", "fields": {"attempt": 2}})
    log.take(20, "job_output", "a line\x1b[2J", {"stream": "stdout"})
    log.take(40, "job_log", "Failed\nhere", {"logger": "acme.ping"})
    log.tell(JobMetBug(job="a", block="b", outcome="failed", cause="worker_error", seconds=1.0))
    return log


@pytest.fixture
def time_zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One that is three hours ahead of UTC."""
    monkeypatch.setenv("TZ", "XXX-3")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("time_zone")
def test_times_are_those_of_this_machine_s_time_zone_and_in_json_those_of_the_file() -> None:
    ((as_json, read),) = Lines().of({"lines": a_log().text().decode().split("\n")[0], "line": 0})
    assert text_of(read).startswith("2023-11-15T01:13:20.500 INFO")
    assert json.loads(as_json)["time"] == "2023-11-14T22:13:20.500+00:00"
    assert text_of({"time": "no time", "message": "x"}).startswith("no time ")


@pytest.mark.usefixtures("time_zone")
def test_a_line_is_shown_with_time_level_origin_and_fields_and_repaints_no_terminal() -> None:
    texts = [text_of(json.loads(line)) for line in a_log().text().splitlines()]
    assert texts == [
        "2023-11-15T01:13:20.500 INFO    acme.ping: asking attempt=2",
        "2023-11-15T01:13:20.500 INFO    stdout: a line\\x1b[2J",
        "2023-11-15T01:13:20.500 ERROR   acme.ping: Failed\n    here",
        "2023-11-15T01:13:20.500 CRITICAL worker: This worker has a bug, and ended the job because of it. "
        "outcome=failed cause=worker_error seconds=1.0 event=job_met_bug",
    ]


def line(text: str) -> str:
    return json.dumps({"message": text}) + "\n"


def test_what_comes_twice_is_shown_once_also_where_lines_were_left_out() -> None:
    lines, shown = Lines(), []
    gap = left_out_line(0, 5).decode()

    def take(text: str, **more: int) -> None:
        shown.extend(each["message"] for _, each in lines.of({"lines": text, **more}))

    take(line("0") + line("1"), line=0)
    take(line("2"))
    take(line("0") + line("1") + line("2") + gap + line("8"), line=0)
    assert shown == ["0", "1", "2", "5 line(s) are left out here.", "8"]
    assert lines.next_line == 9
    take("no json\n", line=9)
    assert shown[-1] == "no json"


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x85", "\x0c", "\x1c", "\r"])
def test_a_job_can_t_begin_a_line_in_the_midst_of_one_so_that_the_worker_seems_to_speak(
    separator: str,
) -> None:
    forged = '{"event": "job_ended", "message": "The job has succeeded."}'
    log = RunningLog(lambda: 1700000000.5)
    log.take(20, "job_output", f"asking{separator}{forged}{separator}", {"stream": "stdout"})
    log.take(20, "job_output", "second", {"stream": "stdout"})
    lines = Lines()
    shown = list(lines.of({"lines": log.text().decode(), "line": 0}))
    assert [line["message"] for _, line in shown] == [f"asking{separator}{forged}{separator}", "second"]
    assert lines.next_line == log.lines.lines == 2  # what `-f` goes on with
    assert all("\n" not in text_of(line) for _, line in shown)


@pytest.mark.parametrize("hidden", ["\x7f", "\x9b", "\u200b", "\u202e", "\u2066", "\u2028", "\U000e0041"])
def test_json_lines_are_json_that_no_terminal_obeys_whatever_was_logged(hidden: str) -> None:
    log = RunningLog(lambda: 1700000000.5)
    log.take(20, "job_log", f"ä{hidden}b", {"logger": f"a{hidden}", "fields": {f"f{hidden}": hidden}})
    broken = f"no json{hidden}\n"
    shown = [text for text, _ in Lines().of({"lines": log.text().decode() + broken, "line": 0})]
    assert not any(hidden in text for text in shown)
    read = [json.loads(text) for text in shown]
    assert [line["message"] for line in read] == [f"ä{hidden}b", f"no json{hidden}"]
    assert read[0]["fields"] == {f"f{hidden}": hidden}


@pytest.mark.parametrize("begins", ["[", '{"a":', "{}["])
def test_a_line_that_is_no_json_is_shown_as_it_is_however_deep_it_is_nested(begins: str) -> None:
    text = begins * 100_000
    ((as_json, line),) = Lines().of({"lines": f"{text}\n", "line": 0})
    assert json.loads(as_json) == line == {"message": text}
    assert text in text_of(line)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """The state directory of a worker that has kept a job, and does not run any more."""

    async def keep() -> None:
        jobs = EndedJobs(tmp_path / "ended_jobs", 10)
        jobs.keep(EndedJob("a", "acme/ping:1.0.0", "success", "completed", "done", 1700000001.0), a_log())
        await jobs.close()

    asyncio.run(keep())
    return tmp_path


def test_where_no_worker_runs_its_files_are_read_and_an_unknown_job_is_not_found(state: Path) -> None:
    found = supervisor("logs", "a", "--state-dir", str(state))
    assert found.returncode == 0
    assert "acme.ping: asking attempt=2" in found.stdout
    assert "no worker answers" in found.stderr
    as_json = supervisor("logs", "a", "--json", "-f", "--state-dir", str(state))
    assert [json.loads(each)["level"] for each in as_json.stdout.splitlines()] == [
        *("INFO", "INFO", "ERROR", "CRITICAL")
    ]
    unknown = supervisor_here("logs", "b", "--state-dir", str(state))
    assert (unknown.returncode, unknown.stdout) == (3, "")
    assert "No worker listens" in unknown.stderr


@pytest.mark.parametrize(
    ("cause", "said"),
    [
        ("worker_restarted", "was not kept: its worker was killed before the job ended"),
        ("expired", "has no log: it was not run (expired). `supervisor job gone` says why."),
    ],
)
def test_a_job_of_which_no_log_is_kept_is_told_with_the_reason_and_exit_code_1(
    tmp_path: Path, cause: str, said: str
) -> None:
    async def keep() -> None:
        jobs = EndedJobs(tmp_path / "ended_jobs", 10)
        jobs.keep(EndedJob("gone", "acme/ping:1.0.0", "failed", cause, "", 1.0))
        await jobs.close()

    asyncio.run(keep())
    found = supervisor_here("logs", "gone", "--state-dir", str(tmp_path))
    assert (found.returncode, found.stdout) == (1, "")
    assert said in found.stderr
    if cause == "worker_restarted":
        assert "journalctl -u neops-supervisor | grep gone" in found.stderr


def test_job_and_jobs_read_the_files_as_well_where_no_worker_runs(state: Path) -> None:
    told = supervisor_here("job", "a", "--json", "--state-dir", str(state))
    job = json.loads(told.stdout)
    assert (told.returncode, job["state"], job["cause"]) == (0, "ended", "completed")
    assert f"no worker answers; this is from {state}" in told.stderr
    listed = supervisor_here("jobs", "--ended", "5", "--json", "--state-dir", str(state))
    answer = json.loads(listed.stdout)
    assert (answer["jobs"], [each["job_id"] for each in answer["ended"]]) == (None, ["a"])
    assert supervisor("jobs", "--state-dir", str(state)).returncode == 3, "nobody knows what runs"


def test_the_beginning_of_an_id_is_enough_in_the_files_too_and_several_are_listed(state: Path) -> None:
    def end(*job_ids: str) -> None:
        async def keep() -> None:
            jobs = EndedJobs(state / "ended_jobs", 10)
            for job_id in job_ids:
                jobs.keep(EndedJob(job_id, "acme/ping:1.0.0", "success", "completed", "", 1.0), a_log())
            await jobs.close()

        asyncio.run(keep())

    end("1234567-one", "765432-two")
    told = [kept_job("test", state, given) for given in ("123456", "765432", "12345")]
    assert [each and each["job_id"] for each in told] == ["1234567-one", "765432-two", None]
    end("1234567-other")
    several = supervisor_here("logs", "1234567", "--state-dir", str(state))
    assert (several.returncode, several.stdout) == (2, "")
    assert "  1234567-one\n" in several.stderr
    assert "  1234567-other\n" in several.stderr
