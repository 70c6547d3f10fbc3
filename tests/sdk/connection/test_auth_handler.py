"""An answer to a login is never lost, however quick it is."""

import threading

from paramiko import Message  # type: ignore[import-untyped]  # ships no types

from sdk.connection.auth_handler import AuthHandler


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
