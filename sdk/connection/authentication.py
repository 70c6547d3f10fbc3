"""Logging in: key, password, or the questions of keyboard-interactive; and what a refusal means."""

from __future__ import annotations

import re
from typing import Any, Final

from paramiko.ssh_exception import (  # type: ignore[import-untyped]  # ships no types
    AuthenticationException,
    BadAuthenticationType,
    SSHException,
)

from sdk.connection.banner import says_full
from sdk.connection.causes import Cause
from sdk.connection.deadline import Deadline
from sdk.connection.errors import DeviceError, fail
from sdk.connection.login import Login

_EXPIRED: Final = re.compile(
    r"expired|new password|must change|change your password|password change|\(current\)|current password",
    re.IGNORECASE,
)
_SECOND_FACTOR: Final = re.compile(
    r"code\b|token|\botp\b|one.?time|verification|authenticator|\bduo\b|factor|\b[2m]fa\b|\bpin\b|challenge",
    re.IGNORECASE,
)
_PASSWORD: Final = re.compile(r"pass(word|phrase)", re.IGNORECASE)
_USERNAME: Final = re.compile(r"user ?name|login", re.IGNORECASE)


def says_expired(text: str) -> bool:
    """Tell whether a device's words ask for a new password."""
    return _EXPIRED.search(text) is not None


class Authentication:
    """One login over paramiko's `transport`, whose host key has been checked. `username` may differ from the login's.

    Some of netmiko's drivers put options behind the username.
    """

    def __init__(self, transport: Any, login: Login, username: str, deadline: Deadline) -> None:
        self._transport = transport
        self._login = login
        self._username = username
        self._deadline = deadline
        self._is_password_given = False
        self._last_question: str | None = None

    def run(self, key: Any, *, without: bool = False) -> None:
        """Log in. `key` is paramiko's object for the private key, or None.

        Raises:
            DeviceError: refused, not answered in time, or more is asked for than there is.
        """
        what = "key" if key is not None else "password"
        try:
            if without:
                self._transport.auth_none(self._username)
            else:
                self._in_turn(key)
        except DeviceError:
            raise
        except BadAuthenticationType as error:
            raise self._no_method(error.allowed_types, what) from None
        except (SSHException, EOFError, OSError) as error:
            raise self._translate(error, what) from None

    def _in_turn(self, key: Any) -> None:
        more: list[str] = []
        if key is not None:
            more = self._transport.auth_publickey(self._username, key)
            if not more:
                return
        if self._login.password is None:
            raise self._no_method(more, "key")
        if key is None or "password" in more:
            try:
                self._is_password_given = True
                more = self._transport.auth_password(self._username, self._login.password, fallback=False)
            except BadAuthenticationType as error:
                self._is_password_given = False
                if "keyboard-interactive" not in error.allowed_types:
                    raise
                more = error.allowed_types
        if "keyboard-interactive" in more:
            more = self._transport.auth_interactive(self._username, self._answers)
        if more:
            raise self._no_method(more, "password alone")

    def _answers(self, title: str, instructions: str, questions: list[tuple[str, bool]]) -> list[str]:
        """Answer the device's questions; runs in paramiko's thread, which hands on what is raised."""
        words = " ".join((title, instructions, *(text for text, _ in questions)))
        if questions:
            self._last_question = questions[-1][0]
        if _EXPIRED.search(words):
            raise self._fail(Cause.EXPIRED_PASSWORD, last_line=self._last_question)
        return [self._answer(text, is_shown) for text, is_shown in questions]

    def _answer(self, question: str, is_shown: bool) -> str:
        is_password = _PASSWORD.search(question) is not None
        if is_password and not _SECOND_FACTOR.search(question):
            if self._is_password_given:
                raise self._fail(Cause.WRONG_PASSWORD, what="password")
        elif is_shown and _USERNAME.search(question):
            return self._username
        elif _SECOND_FACTOR.search(question) or self._is_password_given:
            raise self._fail(Cause.SECOND_FACTOR, last_line=question)
        self._is_password_given = True
        assert self._login.password is not None, "asked for only with one"
        return self._login.password

    def _no_method(self, allowed: list[str], what: str) -> DeviceError:
        if self._is_password_given and "keyboard-interactive" in allowed:
            return self._fail(Cause.SECOND_FACTOR)
        return self._fail(Cause.NO_LOGIN_METHOD, what=what, detail=", ".join(allowed) or "nothing else")

    def _translate(self, error: Exception, what: str) -> DeviceError:
        words = self._transport.last_words
        if self._deadline.has_passed or "timeout" in str(error).lower():
            return self._fail(Cause.LOGIN_TIMEOUT, seconds=self._deadline.seconds)
        # RFC 4252, 8: the server may answer a password with the request to change it, which paramiko calls illegal.
        if "Illegal info request" in str(error) or says_expired(words):
            return self._fail(Cause.EXPIRED_PASSWORD, last_line=words or None)
        if says_full(words) and "authentication" not in words.lower():
            return self._fail(
                Cause.SESSION_LIMIT, detail="it ended the connection during the login", last_line=words
            )
        if isinstance(error, AuthenticationException) and (self._transport.is_active() or words):
            return self._fail(Cause.WRONG_PASSWORD, what=what, last_line=words or None)
        return self._fail(Cause.CONNECTION_LOST, what="the login", last_line=words or None)

    def _fail(self, cause: Cause, **facts: Any) -> DeviceError:
        return fail(cause, self._login.where, secrets=self._login.secrets, **facts)
