"""The login: by key, password, or the questions of keyboard-interactive; and what a refusal means."""

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

# Not of a licence or a certificate, of which a banner may say that.
_EXPIRED: Final = re.compile(
    r"\b(?:pass\w*|account|credentials?)\b[^.\n]{0,60}\bexpired|\bexpired\b[^.\n]{0,40}\bpass(?:word|phrase)"
    r"|new password|must change|change your password|password change|\(current\)|current password",
    re.IGNORECASE,
)
_SECOND_FACTOR: Final = re.compile(
    r"code\b|token|\botp\b|one.?time|verification|authenticator|\bduo\b|factor|\b[2m]fa\b|\bpin\b|challenge",
    re.IGNORECASE,
)
_PASSWORD: Final = re.compile(r"pass(word|phrase)", re.IGNORECASE)
_USERNAME: Final = re.compile(r"user ?name|login", re.IGNORECASE)

_WITH_PASSWORD: Final = frozenset({"password", "keyboard-interactive"})
"""The login methods (RFC 4252, RFC 4256) that use a password."""


def says_expired(text: str) -> bool:
    """Whether a device's words ask for a new password."""
    return _EXPIRED.search(text) is not None


class Authentication:
    """One login over paramiko's `transport`, after the check of its host key. `username` may differ from the login's.

    Some of netmiko's drivers put options after the username.
    """

    def __init__(self, transport: Any, login: Login, username: str, deadline: Deadline) -> None:
        self._transport = transport
        self._login = login
        self._username = username
        self._deadline = deadline
        self._offered = "password"
        """What the device got last, in words."""
        self._is_key_refused = False
        self._is_password_given = False
        self._last_question: str | None = None

    def run(self, key: Any, *, without: bool = False) -> None:
        """Log in. `key` is paramiko's object for the private key, or None.

        Raises:
            DeviceError: the device refused, did not answer in time, or asked for more than the login has.
        """
        try:
            if without:
                self._transport.auth_none(self._username)
            else:
                self._in_turn(key)
        except DeviceError:
            raise
        except BadAuthenticationType as error:
            raise self._no_method(error.allowed_types, self._offered) from None
        except (SSHException, EOFError, OSError) as error:
            raise self._translate(error) from None

    def _in_turn(self, key: Any) -> None:
        more: list[str] = []
        if key is not None:
            more = self._by_key(key)
            if not more:
                return
        if self._login.password is None:
            raise self._no_method(more, "key")
        self._offered = "key and the password" if self._is_key_refused else "password"
        if key is None or "password" in more:
            more = self._by_password(self._login.password)
        if "keyboard-interactive" in more:
            more = self._transport.auth_interactive(self._username, self._answers)
        if more:
            raise self._no_method(more, "password alone")

    def _by_key(self, key: Any) -> list[str]:
        """Offer the key, and return what must follow. If the device refuses it, a password follows if there is one."""
        self._offered = "key"
        try:
            more: list[str] = self._transport.auth_publickey(self._username, key)
        except BadAuthenticationType as error:
            more = error.allowed_types
            if self._login.password is None or _WITH_PASSWORD.isdisjoint(more):
                raise
        except AuthenticationException as error:
            if self._login.password is None or self._is_late(error) or not self._transport.is_active():
                raise
            self._is_key_refused = True
            more = ["password"]  # here paramiko does not report what the device accepts
        return more

    def _by_password(self, password: str) -> list[str]:
        """Send the password, and return what must follow. If it is not taken so, return what the device asks for."""
        try:
            self._is_password_given = True
            more: list[str] = self._transport.auth_password(self._username, password, fallback=False)
        except BadAuthenticationType as error:
            self._is_password_given = False
            more = error.allowed_types
            if "keyboard-interactive" in more:
                return more
            if self._is_key_refused:  # the device accepts only keys, and not this one
                self._offered = "key"
                raise AuthenticationException from None
            raise
        return more

    def _answers(self, title: str, instructions: str, questions: list[tuple[str, bool]]) -> list[str]:
        """Answer the device's questions. Runs in paramiko's thread, which passes exceptions on."""
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

    def _is_late(self, error: Exception) -> bool:
        return self._deadline.has_passed or "timeout" in str(error).lower()

    def _translate(self, error: Exception) -> DeviceError:
        words = self._transport.last_words
        if self._is_late(error):
            return self._fail(Cause.LOGIN_TIMEOUT, seconds=self._deadline.seconds)
        # RFC 4252, 8: the server may answer a password with a request to change it. paramiko calls that illegal.
        if "Illegal info request" in str(error) or says_expired(words):
            return self._fail(Cause.EXPIRED_PASSWORD, last_line=words or None)
        if says_full(words) and "authentication" not in words.lower():
            return self._fail(
                Cause.SESSION_LIMIT, detail="it ended the connection during the login", last_line=words
            )
        if self._is_refusal(error, words):
            return self._fail(Cause.WRONG_PASSWORD, what=self._offered, last_line=words or None)
        return self._fail(Cause.CONNECTION_LOST, what="the login", last_line=words or None)

    def _is_refusal(self, error: Exception, words: str) -> bool:
        handler = self._transport.auth_handler  # None if the login has not reached a question
        if handler is not None and handler.is_refused:
            return True
        return isinstance(error, AuthenticationException) and (self._transport.is_active() or bool(words))

    def _fail(self, cause: Cause, **facts: Any) -> DeviceError:
        return fail(cause, self._login.where, secrets=self._login.secrets, **facts)
