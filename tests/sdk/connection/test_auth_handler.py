"""An answer to a login is never lost, however quick it is, and whatever comes behind it."""

import threading

import pytest
from paramiko import Message  # type: ignore[import-untyped]  # ships no types

from sdk.connection import Cause, DeviceError, Login
from sdk.connection.auth_handler import AuthHandler
from sdk.connection.authentication import Authentication
from sdk.connection.deadline import Deadline
from tests.patience import PATIENCE_SECONDS


class QuickAnswer:
    """What the handler needs of a connection. The answer is here before the sender goes on, as in paramiko's thread."""

    auth_timeout = 0.3

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.authenticated = False
        self.handler = AuthHandler(self)

    def is_active(self) -> bool:
        return True

    def is_authenticated(self) -> bool:
        return self.authenticated

    def _log(self, level: int, text: str) -> None:
        pass

    def _auth_trigger(self) -> None:
        self.authenticated = True

    def _send_message(self, message: Message) -> None:
        self.handler._parse_userauth_success(Message())


def test_an_answer_that_comes_while_the_question_is_being_sent_ends_the_wait() -> None:
    # With paramiko's own handler, this raises "Authentication timeout.".
    assert QuickAnswer().handler.auth_password("admin", "never-to-be-seen-1") == []


class RefusesAndEnds(QuickAnswer):
    """A device that ends the connection right behind its refusal, before whoever waits for that has looked."""

    last_words = ""

    def __init__(self, *, is_partial: bool = False) -> None:
        super().__init__()
        self.auth_handler = self.handler
        self.saved_exception: Exception | None = None
        self.is_partial = is_partial
        self.has_ended = False

    def is_active(self) -> bool:
        return not self.has_ended

    def get_exception(self) -> Exception | None:
        return EOFError()

    def auth_password(self, username: str, password: str, fallback: bool) -> list[str]:
        del fallback
        more: list[str] = self.handler.auth_password(username, password)
        return more

    def _send_message(self, message: Message) -> None:
        answer = Message()
        answer.add_list(["password"])
        answer.add_boolean(self.is_partial)
        answer.rewind()
        self.handler._parse_userauth_failure(answer)
        self.has_ended = True


@pytest.mark.parametrize(
    ("is_partial", "cause"), [(False, Cause.WRONG_PASSWORD), (True, Cause.CONNECTION_LOST)]
)
def test_a_refusal_is_told_as_one_also_where_the_device_ends_the_connection_behind_it(
    is_partial: bool, cause: Cause
) -> None:
    login = Login("192.0.2.1", "admin", password="never-to-be-seen-1")
    transport = RefusesAndEnds(is_partial=is_partial)
    with pytest.raises(DeviceError) as refused:
        Authentication(transport, login, "admin", Deadline(PATIENCE_SECONDS)).run(None)
    assert refused.value.cause is cause
