"""The part of an id that `top` and logs show is enough for each command that asks for a job."""

from types import SimpleNamespace
from typing import Any

import pytest

from supervisor.job.job_ids import jobs_meant
from supervisor.worker.control.table import COMMANDS
from supervisor.worker.control_socket.exit_codes import USAGE, exit_code_of
from supervisor.worker.control_socket.protocol import ControlError, Peer, Request
from supervisor.worker.job_records import JobRecords
from supervisor.worker.parts import Parts
from supervisor.worker.running_jobs import RunningJobs
from tests.supervisor.worker.claimed_job import claimed_job

ONE, TWO = "0b5d1f4e-1111-7000-8000-00000000000a", "0b5d1f4e-2222-7000-8000-00000000000b"
ENDED = "77777777-3333-7000-8000-00000000000c"


def test_whole_ids_come_first_then_beginnings_of_six_characters_then_ends_as_top_cuts_them() -> None:
    ids = [ONE, TWO, ENDED, "0b5d1f", ENDED]
    assert jobs_meant("0b5d1f", ids) == ["0b5d1f"]
    assert jobs_meant("0b5d1f4e", ids) == [ONE, TWO]
    assert jobs_meant("777777", ids) == [ENDED]
    assert jobs_meant("77777", ids) == []
    assert jobs_meant("", ids) == []
    assert jobs_meant("…000000b", ids) == [TWO]
    assert jobs_meant("…00000", ids) == []


class Worker:
    """A worker with two jobs that wait, and one that has ended and is kept. It notes what is cancelled."""

    def __init__(self) -> None:
        running, records = RunningJobs(lambda _: None), JobRecords()
        for each in (ONE, TWO):
            running.enter(claimed_job(each))
        records.kept = SimpleNamespace(ids=lambda: [ENDED], find=lambda job_id: job_id == ENDED)  # type: ignore[assignment]
        self.cancelled: list[str] = []
        self.parts: Parts = SimpleNamespace(  # type: ignore[assignment]
            dispatcher=SimpleNamespace(
                running_jobs=running, records=records, cancel=self._cancel, known_job_ids=frozenset()
            ),
            runner=SimpleNamespace(stack=self._stack),
        )

    def _cancel(self, job_id: str) -> None:
        self.cancelled.append(job_id)

    async def _stack(self, _: str) -> None:
        return None

    async def answer(self, command: str, job_id: str) -> Any:
        answer: Any = COMMANDS[command](self.parts, Request(command, {"job_id": job_id}, Peer(1, 0, "me")))
        return await anext(answer) if command in ("logs", "cancel") else await answer


@pytest.mark.parametrize("command", ["job", "logs", "stack", "cancel"])
async def test_where_several_jobs_are_meant_they_are_listed_and_nothing_is_done(command: str) -> None:
    worker = Worker()
    with pytest.raises(ControlError, match=f"(?s){ONE}.*{TWO}") as refused:
        await worker.answer(command, "0b5d1f4e")
    assert exit_code_of(refused.value.cause) == USAGE
    assert not worker.cancelled


async def test_a_beginning_that_one_job_has_stands_for_it() -> None:
    worker = Worker()
    assert (await worker.answer("job", "0b5d1f4e-1"))["job"]["job_id"] == ONE
    assert (await worker.answer("logs", "0b5d1f4e-2"))["running"]
    with pytest.raises(ControlError, match=f"{TWO} has no process"):
        await worker.answer("stack", "0b5d1f4e-2")
    with pytest.raises(ControlError, match=f"{ENDED} has ended already"):
        await worker.answer("cancel", "777777")
    assert worker.cancelled == [ENDED]
