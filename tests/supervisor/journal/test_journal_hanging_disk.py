"""A disk that hangs: however long it does, no writes pile up before it, and none is lost."""

import shutil
import stat
import threading
from pathlib import Path
from typing import Any

import pytest
from journal_support import claim, raw

from supervisor.journal import Ledger
from supervisor.journal import durable_copy as durable_copy_module
from tests.patience import until

QUICKLY = 0.02


def recorded(monkeypatch: pytest.MonkeyPatch, owner: object, name: str) -> list[str]:
    """Record that a method is called, and call it."""
    calls: list[str] = []
    real = getattr(owner, name)

    def call(*arguments: Any) -> Any:
        calls.append(name)
        return real(*arguments)

    monkeypatch.setattr(owner, name, call)
    return calls


async def test_a_disk_that_hangs_for_long_is_not_given_the_same_writes_again_and_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(durable_copy_module, "WRITE_TIMEOUT_SECONDS", QUICKLY)
    ledger = await Ledger.open(tmp_path, mend_seconds=QUICKLY)
    copy, answers = ledger._durable_copy, threading.Event()
    copy.journal._writer.call(lambda: answers.wait(50))
    writes = recorded(monkeypatch, copy.journal, "save")
    tries = recorded(monkeypatch, copy, "_try_everything")
    try:
        numbers = await ledger.claim([claim("a")])
        numbers += await ledger.claim([claim("b")])
        tries.clear()
        await until(lambda: len(tries) >= 5, "the journal is tried again")
        assert writes == ["save", "save"]
    finally:
        answers.set()
    await until(lambda: ledger.is_whole, "mended")
    assert [number for (number,) in raw(tmp_path, "SELECT number FROM claims ORDER BY number")] == numbers
    await ledger.close()


async def test_a_fact_that_waits_for_a_hanging_disk_is_not_written_again_and_again_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(durable_copy_module, "WRITE_TIMEOUT_SECONDS", QUICKLY)
    ledger = await Ledger.open(tmp_path, mend_seconds=QUICKLY)
    copy, answers = ledger._durable_copy, threading.Event()
    copy.journal._writer.call(lambda: answers.wait(50))
    writes = recorded(monkeypatch, copy.journal, "save_fact")
    tries = recorded(monkeypatch, copy, "_try_everything")
    try:
        await ledger.remember("name", "value")
        tries.clear()
        await until(lambda: len(tries) >= 5, "the journal is tried again")
        assert writes == ["save_fact"]
    finally:
        answers.set()
    await until(lambda: ledger.is_whole, "mended")
    assert raw(tmp_path, "SELECT value FROM facts WHERE name = 'name'") == [("value",)]
    await ledger.close()


async def test_what_a_hanging_disk_refuses_at_last_is_written_when_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(durable_copy_module, "WRITE_TIMEOUT_SECONDS", QUICKLY)
    ledger = await Ledger.open(tmp_path, mend_seconds=QUICKLY)
    writer, answers = ledger._durable_copy.journal._writer, threading.Event()

    def allow_pages(count: int) -> None:
        assert writer.database is not None
        writer.database.execute(f"PRAGMA max_page_count = {count:d}")

    writer.call(lambda: answers.wait(50))
    full = writer.call(lambda: allow_pages(1))  # SQLite takes as many as there are already
    (number,) = await ledger.claim([claim("a")])
    await ledger.store_result(number, b"x" * 100_000)
    tries = recorded(monkeypatch, ledger._durable_copy, "_try_everything")
    answers.set()
    await full
    await until(lambda: len(tries) >= 3, "the journal is tried again")
    assert not ledger.is_whole
    await writer.call(lambda: allow_pages(1_000_000))
    await until(lambda: ledger.is_whole, "mended")
    assert raw(tmp_path, "SELECT length(result) FROM claims") == [(100_000,)]
    await ledger.close()


async def test_a_worker_that_registers_anew_does_not_wait_for_a_disk_that_hangs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its uuid is written twice: to the journal, and to a file beside it."""
    monkeypatch.setattr(durable_copy_module, "WRITE_TIMEOUT_SECONDS", QUICKLY)
    ledger = await Ledger.open(tmp_path, mend_seconds=QUICKLY)
    answers = threading.Event()
    ledger._durable_copy.journal._writer.call(lambda: answers.wait(50))
    try:
        await ledger.remember("worker_uuid", "w-1")  # would not come back
        assert not (tmp_path / "worker_uuid").exists()
    finally:
        answers.set()
    await until(lambda: (tmp_path / "worker_uuid").exists(), "the copy is there")
    await until(lambda: ledger.is_whole, "mended")
    await ledger.close()


async def test_a_state_directory_that_was_removed_is_there_again_with_all_that_was_in_it(
    tmp_path: Path,
) -> None:
    state = tmp_path / "state"
    ledger = await Ledger.open(state, mend_seconds=QUICKLY)
    await ledger.remember("worker_uuid", "w-1")
    (number,) = await ledger.claim([claim("a")])
    shutil.rmtree(state)
    await until(lambda: (state / "worker_uuid").exists(), "the copy of the uuid is there again")
    await until(lambda: ledger.is_whole, "the journal is whole again")
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    assert raw(state, "SELECT number FROM claims") == [(number,)]
    await ledger.close()
