"""A block that the kernel refuses something is told of the isolation, where that may be the reason."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sdk_support import TextParams, block_raising

from sdk import WorkflowContext
from sdk.errors import SdkError
from sdk.isolation import isolation_hint, use_isolation

CLOSED = "/srv/worker"


@pytest.fixture(autouse=True)
def isolated() -> Iterator[None]:
    """A job that may use all but one directory."""
    use_isolation(lambda path: not path.startswith(CLOSED))
    yield
    use_isolation(None)


def refused(path: object = None, number: int = errno.EACCES, other: object = None) -> PermissionError:
    error = OSError(number, os.strerror(number), path, None, other)
    assert isinstance(error, PermissionError)
    return error


def caused(by: BaseException) -> BaseException:
    error = RuntimeError("it did not work")
    error.__cause__ = by
    return error


MAY_BE = {
    "a closed path": refused(f"{CLOSED}/token"),
    "as bytes": refused(f"{CLOSED}/token".encode()),
    "by a detour": refused(f"/tmp/../{CLOSED}/token"),
    "the second path": refused("/tmp/mine", errno.EPERM, f"{CLOSED}/token"),
    "a call without a path": refused(number=errno.EPERM),
    "the cause": caused(caused(refused(f"{CLOSED}/token"))),
    "one of a group": ExceptionGroup("two", [ValueError("x"), caused(refused(number=errno.EPERM))]),
    "memory of another process": refused("/proc/1/mem"),
}
IS_NOT = {
    "a path that is open": refused("/etc/shadow"),
    "two paths that are open": refused("/etc/shadow", errno.EPERM, "/etc/passwd"),
    "an address": refused(),
    "another error": OSError(errno.ENOENT, "not there", f"{CLOSED}/token"),
    "what was only handled before": ValueError("x"),
    "its own entry in /proc": refused(f"/proc/{os.getpid()}/oom_score_adj"),
}


@pytest.mark.parametrize("error", MAY_BE.values(), ids=MAY_BE)
def test_what_the_isolation_may_have_refused_gets_a_hint_with_the_names_of_the_settings(
    error: BaseException,
) -> None:
    hint = isolation_hint(error)
    assert "--isolation" in hint
    assert "--writable-paths" in hint
    assert (Path(__file__).parents[2] / "docs/how-to/isolation.md").name in hint


@pytest.mark.parametrize("error", IS_NOT.values(), ids=IS_NOT)
def test_what_has_nothing_to_do_with_it_gets_none(error: BaseException) -> None:
    assert isolation_hint(error) == ""


def test_a_relative_path_is_looked_for_where_the_job_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    use_isolation(lambda path: path != str(tmp_path.resolve() / "file"))
    assert isolation_hint(refused("file"))
    assert not isolation_hint(refused("other"))


def test_without_isolation_there_is_no_hint() -> None:
    use_isolation(None)
    assert isolation_hint(refused(number=errno.EPERM)) == ""


def test_causes_that_go_round_in_a_circle_end() -> None:
    first, second = RuntimeError("a"), RuntimeError("b")
    first.__cause__, second.__cause__ = second, first
    assert isolation_hint(first) == ""


@pytest.mark.parametrize("how", [caused, lambda error: error])
async def test_the_message_and_the_log_of_a_failed_block_have_the_hint(
    how: Any, caplog: pytest.LogCaptureFixture
) -> None:
    block = block_raising(how(refused(f"{CLOSED}/token")))()
    result = await block.execute_function_block(TextParams(), WorkflowContext({}, "global"))
    assert "raised" in result.message
    assert "--writable-paths" in result.message


async def test_an_error_of_the_sdk_s_own_has_it_too(caplog: pytest.LogCaptureFixture) -> None:
    class NoKeyError(SdkError):
        needs_no_traceback = True

    error = NoKeyError("The private key can't be read.")
    error.__cause__ = refused(f"{CLOSED}/key")
    result = await block_raising(error)().execute_function_block(TextParams(), WorkflowContext({}, "global"))
    assert result.message.count("--isolation") == 1
    assert "--isolation" in caplog.text
