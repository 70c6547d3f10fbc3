"""`logs` over a real control socket: of jobs that run and that have ended, for many readers, slow ones among them."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from supervisor.commands.logs.lines import Lines
from supervisor.job.result import not_run
from supervisor.journal.ended_jobs.store import EndedJobs
from supervisor.log.events.jobs import JobMetBug
from supervisor.verdict import refusals
from supervisor.worker.claimed_jobs import ClaimedJob
from supervisor.worker.control import logs as logs_module
from supervisor.worker.control.jobs import job as job_handler
from supervisor.worker.control.logs import logs
from supervisor.worker.control_socket import server as server_module
from supervisor.worker.control_socket.client import ControlClient
from supervisor.worker.control_socket.listener import listen_in
from supervisor.worker.control_socket.protocol import ControlError, Peer, Request
from supervisor.worker.control_socket.server import ControlServer
from supervisor.worker.job_records import JobRecords
from supervisor.worker.running_jobs import RunningJobs
from tests.patience import until
from tests.supervisor.worker.claimed_job import claimed_job

READERS = 100


class Worker:
    """The records of a worker, and a control socket that tells of them."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory / "run"
        self.kept = EndedJobs(directory / "ended_jobs", 100)
        self.records = JobRecords(self.kept)
        self.waiting = RunningJobs(lambda _: None)
        dispatcher = SimpleNamespace(records=self.records, running_jobs=self.waiting)
        self.parts: Any = SimpleNamespace(dispatcher=dispatcher)

    def begin(self, job_id: str) -> ClaimedJob:
        claimed = claimed_job(job_id)
        self.records.begin(claimed)
        return claimed

    async def end(self, record: ClaimedJob) -> None:
        told = JobMetBug(job="a", block="b", outcome="failed", cause="worker_error", seconds=1.0)
        await self.records.end(record, not_run(refusals.worker_error()), [told])

    async def shown(self, lines: Lines, job_id: str = "a", *, follow: bool = False) -> tuple[list[str], bool]:
        """Return the messages that a client gets in one conversation, and whether these were all."""

        def read() -> tuple[list[str], bool]:
            messages, part = [], {}
            client = ControlClient(self.directory)
            for part in client.stream("logs", job_id=job_id, line=lines.next_line, follow=follow):
                messages += [line["message"] for _, line in lines.of(part)]
            return messages, bool(part.get("complete"))

        return await asyncio.to_thread(read)


@asynccontextmanager
async def serving(worker: Worker) -> AsyncIterator[None]:
    listening = listen_in(worker.directory)
    me = Peer(os.getpid(), os.geteuid(), "me")
    handlers: Any = {"logs": partial(logs, worker.parts), "job": partial(job_handler, worker.parts)}
    server = ControlServer(listening.listener, listening.secret, lambda _: me, handlers)
    server.begin()
    try:
        yield
    finally:
        await server.close()
        listening.close()


@pytest.fixture
async def worker(tmp_path: Path) -> AsyncIterator[Worker]:
    one = Worker(tmp_path)
    async with serving(one):
        yield one
    await one.kept.close()


def say(record: ClaimedJob, *messages: str) -> None:
    for message in messages:
        record.log.take(20, "job_log", message, {"logger": "acme"})


async def test_a_job_that_runs_is_shown_so_far_and_followed_to_its_end(worker: Worker) -> None:
    record = worker.begin("a")
    say(record, "one", "two")
    assert await worker.shown(Lines()) == (["one", "two"], True)
    lines = Lines()
    following = asyncio.ensure_future(worker.shown(lines, follow=True))
    while record.log._changed is None:  # it has read all, and waits
        await asyncio.sleep(0.01)
    say(record, "three")
    await worker.end(record)
    messages, complete = await following
    assert messages[:3] == ["one", "two", "three"]
    assert "bug" in messages[3]
    assert complete
    assert (await worker.shown(Lines()))[0] == messages, "it is the same from the disk"
    assert await worker.shown(lines) == ([], True), "and nobody gets a line twice"


async def test_a_job_that_waits_for_a_slot_is_followed_from_its_start_on(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs_module, "_WAIT_SECONDS", 0.01)
    claimed = claimed_job("a")
    worker.waiting.enter(claimed)
    assert await worker.shown(Lines()) == ([], True)
    following = asyncio.ensure_future(worker.shown(Lines(), follow=True))
    await asyncio.sleep(0.05)
    claimed.slot = 0
    record = worker.begin("a")
    say(record, "one")
    await worker.end(record)
    assert (await following)[0][0] == "one"


async def test_an_unknown_job_is_told_with_the_reason(worker: Worker) -> None:
    with pytest.raises(ControlError) as raised:
        await worker.shown(Lines(), "nobody")
    assert raised.value.cause == "unknown_job"
    assert "not among the last ended jobs" in str(raised.value)
    worker.kept.dropped = 3
    with pytest.raises(ControlError, match="3 ended job"):
        await worker.shown(Lines(), "nobody")


async def test_how_a_job_ended_can_be_asked_for(worker: Worker) -> None:
    await worker.end(worker.begin("a"))
    answer = await asyncio.to_thread(lambda: ControlClient(worker.directory).ask("job", job_id="a"))
    assert (answer["job"]["state"], answer["job"]["cause"]) == ("ended", "worker_error")
    with pytest.raises(ControlError, match="knows no job"):
        await asyncio.to_thread(lambda: ControlClient(worker.directory).ask("job", job_id="b"))


async def test_a_disk_that_hangs_is_an_answer_and_not_a_wait(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    await worker.end(worker.begin("a"))
    assert (await worker.shown(Lines()))[1]
    monkeypatch.setattr(type(worker.kept._disk), "hangs", property(lambda _: True))
    with pytest.raises(ControlError) as raised:
        await worker.shown(Lines())
    assert raised.value.cause == "disk_failing"


async def connected(worker: Worker) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Ask to follow the job, and read nothing yet."""
    reader, writer = await asyncio.open_unix_connection(str(worker.directory / "control.sock"), limit=2**20)
    secret = (worker.directory / "control.secret").read_text().strip()
    request = {"secret": secret, "command": "logs", "arguments": {"job_id": "a", "line": 0, "follow": True}}
    writer.write(json.dumps(request).encode() + b"\n")
    return reader, writer


async def read_all(reader: asyncio.StreamReader) -> str:
    """Return the lines that come until the end of the conversation."""
    read = ""
    while (text := await reader.readline()).endswith(b"\n"):
        if text.strip():
            read += json.loads(text)["data"]["lines"]
    return read


async def test_a_hundred_readers_follow_and_one_that_does_not_read_holds_up_neither_them_nor_the_job(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Those who read must not be cut off either where a busy machine keeps them from it for a while.
    monkeypatch.setattr(server_module, "SEND_SECONDS", 5.0)
    record = worker.begin("a")
    connections = await asyncio.gather(*(connected(worker) for _ in range(READERS + 1)))
    stalled, stalled_writer = connections[0]
    stalled_writer.transport.pause_reading()  # type: ignore[attr-defined]  # a socket's
    following = [asyncio.ensure_future(read_all(reader)) for reader, _ in connections[1:]]
    for number in range(600):
        say(record, f"{number:01000}")
        if number % 50 == 0:
            await asyncio.sleep(0.01)
    await worker.end(record)
    whole = record.log.text().decode()
    assert "left_out" not in whole
    assert set(await asyncio.gather(*following)) == {whole}
    await until(lambda: not any("conversation" in task.get_name() for task in asyncio.all_tasks()))
    stalled_writer.transport.resume_reading()  # type: ignore[attr-defined]  # a socket's
    late = await read_all(stalled)
    assert whole.startswith(late)
    assert late != whole, "it was cut off, as it did not read"
    for _, writer in connections:
        writer.close()


async def test_a_reader_that_was_cut_off_goes_on_where_it_was_and_learns_what_it_has_missed(
    worker: Worker,
) -> None:
    record = worker.begin("a")
    say(record, "first")
    lines = Lines()
    assert (await worker.shown(lines))[0] == ["first"]
    say(record, *(f"{number:01000}" for number in range(3000)))
    messages, _ = await worker.shown(lines)
    (gap,) = [message for message in messages if "left out" in message]
    missed = int(gap.split()[0])
    assert missed > 1000
    assert missed + len(messages) - 1 == 3000
    await worker.end(record)
    assert [message for message in (await worker.shown(lines))[0] if "left out" not in message] == [
        message for message in (await worker.shown(Lines()))[0] if "bug" in message
    ]


async def test_of_a_job_that_ended_with_its_worker_the_last_part_says_that_no_log_was_kept(
    tmp_path: Path,
) -> None:
    worker = Worker(tmp_path)
    worker.records.not_run("a", "acme/block:1.0.0", refusals.worker_restarted("acme/block:1.0.0"))
    async with serving(worker):

        def read() -> dict[str, Any]:
            *_, last = ControlClient(worker.directory).stream("logs", job_id="a")
            return last

        last = await asyncio.to_thread(read)
    assert last["complete"]
    assert "its worker was killed before the job ended" in last["no_log"]
    await worker.records.close()


async def test_who_has_cancelled_a_job_is_told_while_it_ends_and_kept_with_it(tmp_path: Path) -> None:
    worker = Worker(tmp_path)
    waiting = claimed_job("a")
    worker.waiting.enter(waiting)
    worker.records.cancelled("a", "ops")
    worker.records.cancelled("a", "somebody-later")
    worker.records.cancelled("b", "ops")

    async def told(job_id: str) -> dict[str, Any]:
        answer: dict[str, Any] = (
            await job_handler(worker.parts, Request("job", {"job_id": job_id}, Peer(1, 0, "me")))
        )["job"]
        return answer

    assert (await told("a"))["cancelled_by"] == "ops"
    worker.waiting.leave(waiting)
    worker.records.not_run("a", "acme/block:1.0.0", refusals.cancelled())
    worker.records.not_run("b", "acme/block:1.0.0", refusals.worker_stopping())
    assert (await told("a"))["cancelled_by"] == "ops"
    assert (await told("b"))["cancelled_by"] is None, "it has ended otherwise"
    await worker.records.close()
