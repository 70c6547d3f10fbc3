"""From a login to a session at its first prompt: TCP, SSH, and what netmiko knows about the platform. Blocking."""

from __future__ import annotations

from typing import Any, Final

from netmiko.exceptions import NetmikoAuthenticationException, NetmikoBaseException

from sdk.connection.authentication import says_expired
from sdk.connection.banner import says_full
from sdk.connection.causes import Cause
from sdk.connection.credentials import private_key_of
from sdk.connection.deadline import Deadline, DeadlineError
from sdk.connection.driver import asks_in_the_session, make_driver, put_in
from sdk.connection.errors import DeviceError, fail
from sdk.connection.host_keys import HostKeyCheck, check_for
from sdk.connection.jump import open_jump
from sdk.connection.prompt import Ask, last_line, last_words, looks_like_prompt, what_is_asked
from sdk.connection.reading import Asked, Confirm, Done, Reading, Wait
from sdk.connection.session import Session
from sdk.connection.ssh import SshClient
from sdk.connection.tcp import connect_tcp

_REPEAT_SECONDS: Final = 0.6
_FIRST_NUDGE_SECONDS: Final = 1.0
_MOST_NUDGES: Final = 6


def open_session(
    session: Session,
    device_type: str,
    *,
    deadline: Deadline,
    host_keys: HostKeyCheck | None = None,
    prepared_by_netmiko: bool = False,
) -> None:
    """Log in and wait for the first prompt.

    `device_type` is netmiko's. With `prepared_by_netmiko` its driver also sets paging and width. Without it, this sends
    only lines of blanks.

    Raises:
        DeviceError: for any failure. The session can't be used then, and nothing of it stays open.
    """
    try:
        _open(session, device_type, deadline, host_keys or check_for(), prepared_by_netmiko)
    except BaseException:
        session.abort("the login failed")
        raise


def _open(
    session: Session,
    device_type: str,
    deadline: Deadline,
    host_keys: HostKeyCheck,
    prepared_by_netmiko: bool,
) -> None:
    login = session.login
    driver = make_driver(device_type, login)
    key = private_key_of(login)
    sock: Any
    if login.jump is None:
        sock = connect_tcp(login.host, login.port, deadline=deadline, opened=session.use_socket)
    else:
        sock = open_jump(login, deadline=deadline, host_keys=host_keys, opened=session.use_socket)
        session.use_socket(sock)

    def tell_stage(stage: Cause) -> None:
        session.stage = stage

    client = SshClient(
        login,
        sock,
        deadline=deadline,
        host_keys=host_keys,
        key=key,
        without_authentication=asks_in_the_session(driver),
        tell_stage=tell_stage,
    )
    session.use_client(client)
    put_in(driver, client, deadline, lambda: session.is_aborted, session.hear)
    try:
        # netmiko's constructor calls these private methods. Called separately, there is an object that can be ended.
        driver._modify_connection_params()
        driver.establish_connection()
        session.use(driver)
        if prepared_by_netmiko:
            session.stage = Cause.WRONG_PLATFORM
            driver._try_session_preparation()
            session.stage = Cause.NO_PROMPT
        _first_prompt(session, deadline)
    except DeviceError:
        raise
    except NetmikoAuthenticationException:
        raise _failed(session, Cause.WRONG_PASSWORD, what="password") from None
    except (NetmikoBaseException, DeadlineError, TimeoutError, ValueError, IndexError) as error:
        raise no_prompt(session, deadline.seconds) from error
    except (EOFError, OSError) as error:
        raise _dropped(session) from error


def _first_prompt(session: Session, deadline: Deadline) -> None:
    """Find the prompt, after whatever the device prints first."""
    reading = Reading(None, repeat_seconds=_REPEAT_SECONDS)
    nudges = 0
    while True:
        step = reading.step(session.quiet_seconds)
        match step:
            case Done(prompt, mode):
                session.prompt, session.mode = prompt, mode
                session.echoes_blanks = reading.echoes_blanks
                session.has_blank_gap = reading.has_blank_gap
                return
            case Confirm(line):
                session.write(line + session.driver.RETURN)
                continue
            case Asked(Ask.PASSWORD, line):
                raise _password_asked(session, reading, line)
            case _ if (
                nudges < _MOST_NUDGES
                and session.quiet_seconds >= _FIRST_NUDGE_SECONDS * 2**nudges
                and what_is_asked(last_line(reading.tail)) in (None, Ask.PAGER)
            ):
                # "Press RETURN to get started"; and some devices show nothing before the first line.
                nudges += 1
                session.write(session.driver.RETURN)
            case _:
                seconds = step.seconds if isinstance(step, Wait) else _FIRST_NUDGE_SECONDS
                reading.feed(session.read(min(seconds, _FIRST_NUDGE_SECONDS), deadline))


def _password_asked(session: Session, reading: Reading, line: str) -> DeviceError:
    if says_expired(reading.tail):
        return _failed(session, Cause.EXPIRED_PASSWORD, last_line=line)
    return _failed(session, Cause.PASSWORD_ASKED, what="the login", last_line=line)


def no_prompt(session: Session, seconds: float) -> DeviceError:
    """Return the error for a login that did not end within `seconds`. It says how far the login came."""
    tail = session.tail
    if says_expired(tail):
        return _failed(session, Cause.EXPIRED_PASSWORD, last_line=last_words(tail))
    stage = session.stage
    if stage is Cause.WRONG_PLATFORM:
        # The driver waits for an answer of its platform. If there is a prompt, the device has given another answer.
        if looks_like_prompt(last_line(tail)):
            return _failed(session, stage, platform=session.driver.device_type, last_line=last_words(tail))
        stage = Cause.NO_PROMPT
    return _failed(session, stage, seconds=seconds, last_line=last_words(tail) or None)


def _dropped(session: Session) -> DeviceError:
    tail = session.tail
    if says_expired(tail):
        return _failed(session, Cause.EXPIRED_PASSWORD, last_line=last_words(tail))
    if session.stage in (Cause.NO_PROMPT, Cause.WRONG_PLATFORM) and (says_full(tail) or not tail.strip()):
        detail = "it took the login, and then ended the connection"
        return _failed(session, Cause.SESSION_LIMIT, detail=detail, last_line=last_words(tail) or None)
    return _failed(session, Cause.CONNECTION_LOST, what="the login", last_line=last_words(tail) or None)


def _failed(session: Session, cause: Cause, **facts: Any) -> DeviceError:
    return fail(cause, session.where, secrets=session.login.secrets, **facts)
