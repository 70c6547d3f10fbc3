"""What is printed is written at once, as whole lines of whoever prints."""

import io
import os
import threading
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from jobrunner import stdio as printing_module
from jobrunner.stdio import _Through, flush_output


@pytest.fixture
def pipe() -> Iterator[tuple[_Through, int]]:
    read, write = os.pipe()
    file = _Through(io.FileIO(write, "w", closefd=False))
    os.set_blocking(read, False)
    yield file, read
    file.close()
    os.close(read)
    os.close(write)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Goes on when somebody sleeps; `then` is done at the third sleep."""
    clock = SimpleNamespace(now=0.0, sleeps=0, then=lambda: None)

    def sleep(seconds: float) -> None:
        clock.now += seconds
        clock.sleeps += 1
        assert clock.sleeps < 1000
        if clock.sleeps == 3:
            clock.then()

    monkeypatch.setattr(printing_module, "time", SimpleNamespace(monotonic=lambda: clock.now, sleep=sleep))
    return clock


def test_everything_is_written_at_once_and_an_own_line_needs_no_wait(
    pipe: tuple[_Through, int], clock: SimpleNamespace
) -> None:
    file, read = pipe
    assert file.write(b"half ") == 5
    assert os.read(read, 100) == b"half "
    file.write(b"a line")
    file.write(b"\n")
    assert os.read(read, 100) == b"a line\n"
    assert clock.sleeps == 0


def in_another_thread(file: _Through, data: bytes) -> None:
    thread = threading.Thread(target=file.write, args=(data,))
    thread.start()
    thread.join(50)


def test_the_line_of_another_thread_is_given_a_moment_to_its_end(
    pipe: tuple[_Through, int], clock: SimpleNamespace
) -> None:
    file, read = pipe
    in_another_thread(file, b"theirs, ")
    # The other goes on: its thread is known by its number, which a new one may not have.
    clock.then = lambda: setattr(file, "_unfinished_by", None)
    file.write(b"mine\n")
    assert clock.sleeps == 3
    assert os.read(read, 100) == b"theirs, mine\n"


def test_the_line_of_a_thread_that_does_not_end_it_is_taken_over(
    pipe: tuple[_Through, int], clock: SimpleNamespace
) -> None:
    file, read = pipe
    in_another_thread(file, b"theirs, ")
    file.write(b"mine\n")
    assert 0.02 <= clock.now < 0.021
    assert clock.sleeps >= 20  # or a line that ends meanwhile would be waited for much longer than it takes
    assert os.read(read, 100) == b"theirs, mine\n"


def test_after_a_whole_line_nobody_waits(pipe: tuple[_Through, int], clock: SimpleNamespace) -> None:
    file, read = pipe
    in_another_thread(file, b"theirs\n")
    file.write(b"mine\n")
    assert clock.sleeps == 0
    assert os.read(read, 100) == b"theirs\nmine\n"


def test_streams_that_a_block_has_closed_are_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = io.StringIO()
    closed.close()
    flushed: list[bool] = []
    monkeypatch.setattr(printing_module.sys, "stdout", closed)
    monkeypatch.setattr(printing_module.sys, "stderr", SimpleNamespace(flush=lambda: flushed.append(True)))
    flush_output()
    assert flushed == [True]
