"""A worker without jobs for devices looks at its files of host keys rarely, and no job has a key that was forgotten."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from host_keys_support import R1, R2, some_key

from supervisor.job.host_keys import store
from supervisor.job.host_keys.files import KeptFile, WatchedFile
from supervisor.job.host_keys.known_hosts_file import KnownHostsText, line_text
from supervisor.job.host_keys.store import LOOK_EVERY_SECONDS, REST_SECONDS, HostKeyStore
from tests.patience import until

Resting = Callable[[Path], Awaitable[HostKeyStore]]


@pytest.fixture
async def resting(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[Resting]:
    """Open stores that look at their files only when they are asked for keys, and close them."""
    for name in ("LOOK_EVERY_SECONDS", "REST_SECONDS"):
        monkeypatch.setattr(store, name, 3600.0)
    async with AsyncExitStack() as at_the_end:

        async def open_store(known_hosts: Path) -> HostKeyStore:
            one = HostKeyStore(tmp_path, known_hosts)
            at_the_end.push_async_callback(one.close)
            await one.open()
            return one

        yield open_store


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[WatchedFile]:
    """Each look at an operator's file, from here on."""
    read = WatchedFile.read_if_changed
    seen: list[WatchedFile] = []

    def noted(file: WatchedFile) -> KnownHostsText | None:
        seen.append(file)
        return read(file)

    monkeypatch.setattr(WatchedFile, "read_if_changed", noted)
    return seen


async def test_a_job_that_comes_after_a_rest_knows_what_a_person_has_done_to_both_files(
    resting: Resting, tmp_path: Path
) -> None:
    given, key, second, kept = tmp_path / "given", some_key(), some_key(), some_key()
    given.write_text(line_text(R1, key, ""))
    KeptFile(tmp_path / "known_hosts").add([(R2, kept)])
    one = await resting(given)
    assert await one.keys_of([R1, R2]) == [(R1, key), (R2, kept)]
    one._used_at = one._looked_at = float("-inf")  # an hour later
    given.write_text(line_text(R1, second, "") + "\n")
    KeptFile(tmp_path / "known_hosts").remove(lambda line: line.matches(R2))
    assert await one.keys_of([R1, R2]) == [(R1, second)]


async def test_jobs_that_come_together_after_a_rest_wait_for_one_look(
    resting: Resting, tmp_path: Path, looks: list[WatchedFile]
) -> None:
    given, key = tmp_path / "given", some_key()
    given.write_text(line_text(R1, key, ""))
    one = await resting(given)
    looks.clear()
    assert await asyncio.gather(*(one.keys_of([R1]) for _ in range(20))) == [[(R1, key)]] * 20
    assert len(looks) == 1


async def test_the_files_are_looked_at_each_second_only_while_jobs_ask_for_keys_or_some_wait_for_the_disk(
    tmp_path: Path,
) -> None:
    given = tmp_path / "given"
    given.write_text("")
    one = HostKeyStore(tmp_path, given)
    assert one._pause_seconds() == REST_SECONDS
    one._unwritten.append((R1, some_key()))
    assert one._pause_seconds() == LOOK_EVERY_SECONDS
    one._unwritten.clear()
    await one.keys_of([R1])
    assert one._pause_seconds() == REST_SECONDS, "nothing is open yet that could be looked at"
    await one.open()
    await one.keys_of([R1])
    assert one._pause_seconds() == LOOK_EVERY_SECONDS
    await one.close()


async def test_a_disk_that_does_not_answer_holds_up_the_first_job_for_its_limit_and_no_other(
    resting: Resting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given, key = tmp_path / "given", some_key()
    given.write_text(line_text(R1, key, ""))
    one = await resting(given)
    answers = threading.Event()
    monkeypatch.setattr(WatchedFile, "read_if_changed", lambda _: answers.wait(60.0) and None)
    assert one._disk is not None
    one._disk.limit_seconds = 0.05
    try:
        assert await one.keys_of([R1]) == [(R1, key)]
        await until(lambda: one._disk is not None and one._disk.hangs)
        asking = asyncio.ensure_future(one.keys_of([R1]))
        for _ in range(5):
            await asyncio.sleep(0)
        assert asking.done(), "it is known not to answer: nobody waits"
        assert asking.result() == [(R1, key)]
    finally:
        answers.set()
