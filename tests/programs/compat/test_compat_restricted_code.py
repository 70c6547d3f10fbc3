"""Foreign code of blocks of the other SDK: in a process of its own, which ends in time."""

import importlib
import os
import signal
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import pytest

from sdk.compat.finder import install_alias
from tests.patience import PATIENCE_SECONDS

install_alias()

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")

outcome_of: Any = importlib.import_module("neops_worker_sdk.connection.utils.own_process").outcome_of


class _UnpicklableError(Exception):
    def __init__(self, one: str, two: str) -> None:
        super().__init__(f"{one} and {two}")


def _raise(error: BaseException) -> None:
    raise error


def open_descriptors() -> int:
    """How many this process has."""
    return len(os.listdir("/proc/self/fd"))


def test_work_runs_in_another_process_and_gives_what_it_returns() -> None:
    before, changed = open_descriptors(), ["as it was"]
    large = "x" * 3_000_000
    assert outcome_of(lambda: (changed.clear(), large)[1], 30) == large
    assert outcome_of(os.getpid, 30) != os.getpid()
    assert (changed, open_descriptors()) == (["as it was"], before)


@pytest.mark.parametrize(
    ("work", "error", "text"),
    [
        (lambda: _raise(ValueError("no")), ValueError, "no"),
        (lambda: _raise(_UnpicklableError("this", "that")), RuntimeError, "_UnpicklableError: this and that"),
        (lambda: lambda: None, (RuntimeError, AttributeError, TypeError), "pickle|local object"),
        (lambda: os._exit(7), RuntimeError, "exit code 7"),
        (lambda: os.kill(os.getpid(), 9), RuntimeError, "exit code -9"),
    ],
)
def test_what_goes_wrong_there_is_raised_here(work: Callable[[], Any], error: Any, text: str) -> None:
    with pytest.raises(error, match=text):
        outcome_of(work, 30)


def test_work_that_never_ends_is_killed_when_its_time_is_over() -> None:
    pids, told = os.pipe()

    def forever() -> None:
        os.write(told, str(os.getpid()).encode())
        7**10**9  # in C code, where no signal handler of Python runs

    with pytest.raises(TimeoutError, match=r"longer than 3 s"):
        outcome_of(forever, 3)
    with pytest.raises(ProcessLookupError):
        os.kill(int(os.read(pids, 20)), 0)
    for descriptor in (pids, told):
        os.close(descriptor)


@pytest.mark.parametrize(
    ("work", "expected"),
    [(lambda: 7, nullcontext()), (lambda: os._exit(7), pytest.raises(RuntimeError, match="exit code 7"))],
    ids=["returns", "ends by itself"],
)
def test_a_run_waits_for_no_other_one_whose_process_was_forked_meanwhile(
    work: Callable[[], Any], expected: AbstractContextManager[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_pipe = os.pipe
    (begun, begin), (told, tell) = make_pipe(), make_pipe()
    others: list[Future[Any]] = []

    def wait_until_told() -> bytes:
        os.write(begin, b"x")
        return os.read(told, 1)

    def pipe_beside_another_run() -> tuple[int, int]:
        monkeypatch.undo()
        ends = make_pipe()
        others.append(threads.submit(outcome_of, wait_until_told, 2 * PATIENCE_SECONDS))
        assert os.read(begun, 1) == b"x"  # the other's process is there, and holds both ends too
        return ends

    with ThreadPoolExecutor(1) as threads:
        monkeypatch.setattr(os, "pipe", pipe_beside_another_run)
        try:
            with expected:
                assert outcome_of(work, PATIENCE_SECONDS) == 7
            assert not others[0].done()
        finally:
            os.write(tell, b"y")
    assert others[0].result() == b"y"
    for descriptor in (begun, begin, told, tell):
        os.close(descriptor)


def test_a_process_that_is_killed_while_it_says_what_came_of_it_has_given_no_result(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write, here = os.write, os.getpid()

    def write_half(descriptor: int, data: bytes) -> int:
        if os.getpid() == here:
            return write(descriptor, data)
        write(descriptor, data[: len(data) // 2])
        os.kill(os.getpid(), signal.SIGKILL)
        return 0

    monkeypatch.setattr(os, "write", write_half)
    with pytest.raises(RuntimeError, match=r"without a result \(exit code -9\)"):
        outcome_of(lambda: "x" * 1000, PATIENCE_SECONDS)


def test_restricted_code_reaches_what_it_may_and_nothing_else() -> None:
    pytest.importorskip("RestrictedPython", reason="RestrictedPython is none of this worker's libraries")
    restricted: Any = importlib.import_module("neops_worker_sdk.connection.utils.restricted_python")
    source = "set_result('doubled', [2 * each for each in numbers])\nset_result('net', str(get_subnet('192.0.2.9/24')))"
    results = restricted.run_restricted_code(source, "<code>", numbers=[1, 2])
    assert results == {"doubled": [2, 4], "net": "192.0.2.0/24"}
    for refused in ("().__class__", "exec('1')", "import os", "open('/etc/passwd')"):
        with pytest.raises((SyntaxError, ImportError, NameError)):
            restricted.run_restricted_code(refused, "<code>")
    with pytest.raises((TypeError, AttributeError)):
        restricted.run_restricted_code("ipaddress.ip_network = None", "<code>")
