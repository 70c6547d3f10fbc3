"""What a session on a device raises: one class, one text and one `retryable` for each cause."""

import pickle
import string

import pytest

import sdk.connection.changes.errors  # noqa: F401  # has classes of its own
from sdk.connection.causes import Cause
from sdk.connection.deadline import Deadline, DeadlineError
from sdk.connection.device import translated
from sdk.connection.errors import MAX_LINE_LENGTH, DeviceError, UnexpectedDeviceError, fail
from sdk.connection.login import Login
from sdk.connection.meanings import MEANINGS
from sdk.masking import know_job

FACTS = {"what": "x", "detail": "x", "seconds": 1.0, "platform": "x", "expected": "x", "advice": "Do x."}
SECRET = "never-to-be-seen-1"


def facts_of(cause: Cause) -> dict[str, object]:
    """Everything that text and advice of `cause` have a place for."""
    said = MEANINGS[cause].text + MEANINGS[cause].advice
    names = {name for _, name, _, _ in string.Formatter().parse(said) if name}
    return {name: FACTS.get(name, "x") for name in names}


@pytest.mark.parametrize("cause", Cause)
def test_every_cause_has_a_class_of_its_own_a_text_and_advice(cause: Cause) -> None:
    error = fail(cause, "192.0.2.1 port 22", **facts_of(cause))
    assert type(error) is not DeviceError or cause is Cause.UNEXPECTED
    assert type(error).cause is error.cause is cause
    assert str(error).startswith("192.0.2.1 port 22 ")
    assert str(error).endswith(".")
    assert error.retryable is MEANINGS[cause].retryable


def test_an_unexpected_error_is_named_without_the_secrets_of_the_login() -> None:
    login = Login("192.0.2.1", "admin", password=SECRET)
    error = translated(login, f"the command 'username ada secret {SECRET}'", KeyError(SECRET))
    assert type(error) is UnexpectedDeviceError
    assert str(error) == (
        "192.0.2.1 port 22 can't be used: KeyError was raised during the command 'username ada secret ***'. "
        "The traceback is in the job's log."
    )
    assert error.retryable is False
    assert translated(login, "x", error) is error


def test_no_two_causes_share_a_class() -> None:
    classes = [type(fail(cause, "r1", **facts_of(cause))) for cause in Cause]
    assert len(set(classes)) == len(classes)


def test_the_last_line_is_masked_before_it_is_cut() -> None:
    line = "x" * (MAX_LINE_LENGTH - 4) + SECRET
    error = fail(
        Cause.PAGER, "r1", last_line=line, secrets=frozenset({SECRET}), what="the command 'show run'"
    )
    assert error.last_line is not None
    assert SECRET[:4] not in str(error) + error.last_line
    assert len(error.last_line) <= MAX_LINE_LENGTH + 2


async def test_of_a_secret_of_the_job_nothing_is_left_where_the_last_line_is_cut() -> None:
    know_job(lambda: frozenset({SECRET}))
    for kept in range(1, len(SECRET)):
        line = "x" * (MAX_LINE_LENGTH - kept) + SECRET
        error = fail(Cause.PAGER, "r1", last_line=line, what="the command 'show run'")
        assert error.last_line is not None
        assert set(error.last_line) <= set("x* …")


def test_signs_of_the_terminal_do_not_get_into_a_message() -> None:
    error = fail(Cause.PAGER, "r1", last_line="\x1b[7m--More--\x08\x07", what="x")
    assert str(error).isprintable()


def test_an_error_survives_being_pickled() -> None:
    error = fail(Cause.WRONG_PASSWORD, "r1", what="password", last_line="Denied")
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))


def test_a_deadline_gets_no_longer_by_being_shortened() -> None:
    now = [0.0]
    deadline = Deadline(10, clock=lambda: now[0])
    now[0] = 8
    assert (deadline.left_seconds, deadline.shorter(1).left_seconds, deadline.shorter(5).left_seconds) == (
        2,
        1,
        2,
    )
    deadline.check()
    now[0] = 10
    assert deadline.has_passed
    with pytest.raises(DeadlineError):
        deadline.check()
