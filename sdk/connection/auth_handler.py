"""paramiko's side of a login, but without lost answers."""

from __future__ import annotations

import threading
from typing import Any

from paramiko.auth_handler import AuthOnlyHandler  # type: ignore[import-untyped]  # ships no types


class AuthHandler(AuthOnlyHandler):  # type: ignore[misc]  # ships no types
    """Waits for an answer already before it sends the question.

    An answer sets an event. paramiko 4 makes that event only when the question is on its way. If the answer is faster,
    no event is set, and the login hangs until its limit: about one login in a hundred on a busy machine.

    `is_refused`: the device answered the last question with no. paramiko looks at the connection before it looks for
    an answer. So if a device ends the connection right after its no, paramiko only says that it has ended.
    """

    _answered: threading.Event | None = None

    is_refused = False

    # In paramiko it is an attribute that is set too late. This property ignores that.
    @property
    def auth_event(self) -> threading.Event | None:
        """The event that paramiko sets when an answer has come."""
        return self._answered

    @auth_event.setter
    def auth_event(self, event: threading.Event | None) -> None:  # pyright: ignore[reportIncompatibleVariableOverride]
        # paramiko's own event comes too late.
        pass

    def send_auth_request(self, username: str, method: str, finish_message: Any = None) -> list[str]:
        """Send one request and wait for its answer, as paramiko does; return the methods that must follow."""
        self._answered = threading.Event()
        self.is_refused = False
        more: list[str] = super().send_auth_request(username, method, finish_message)
        return more

    def _parse_userauth_failure(self, message: Any) -> None:
        # This comes first: the waiting thread goes on as soon as paramiko has read it. A partial success is no refusal.
        message.get_list()
        self.is_refused = not message.get_boolean()
        message.rewind()
        super()._parse_userauth_failure(message)  # pyright: ignore[reportAttributeAccessIssue]
