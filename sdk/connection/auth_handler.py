"""paramiko's side of a login, without its lost answers."""

from __future__ import annotations

import threading
from typing import Any

from paramiko.auth_handler import AuthOnlyHandler  # type: ignore[import-untyped]  # ships no types


class AuthHandler(AuthOnlyHandler):  # type: ignore[misc]  # ships no types
    """Waits for an answer from before its question is sent.

    paramiko 4 makes the event that an answer sets only when the question is on its way. An answer that is quicker sets
    none, and the login then hangs until its limit: one in some hundred, on a busy machine.

    `is_refused`: the last question was answered by no. paramiko looks at the connection before it looks for an answer,
    and says no more than that it has ended, where a device ends it right behind its no.
    """

    _answered: threading.Event | None = None

    is_refused = False

    # An attribute there, which paramiko sets too late: to take that back is what this is for.
    @property
    def auth_event(self) -> threading.Event | None:
        """What paramiko sets when an answer has come."""
        return self._answered

    @auth_event.setter
    def auth_event(self, event: threading.Event | None) -> None:  # pyright: ignore[reportIncompatibleVariableOverride]
        # paramiko's own, made too late.
        pass

    def send_auth_request(self, username: str, method: str, finish_message: Any = None) -> list[str]:
        """Send one request and wait for its answer, as paramiko does; return the methods that must follow."""
        self._answered = threading.Event()
        self.is_refused = False
        more: list[str] = super().send_auth_request(username, method, finish_message)
        return more

    def _parse_userauth_failure(self, message: Any) -> None:
        # First of all: whoever waits goes on as soon as paramiko has read it. A partial success is no refusal.
        message.get_list()
        self.is_refused = not message.get_boolean()
        message.rewind()
        super()._parse_userauth_failure(message)  # pyright: ignore[reportAttributeAccessIssue]
