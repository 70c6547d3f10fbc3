"""Which words of a device mean that the password has expired, where a login fails."""

import pytest

from sdk.connection import Login
from sdk.connection.authentication import says_expired
from sdk.connection.causes import Cause
from sdk.connection.opening import no_prompt
from sdk.connection.session import Session


@pytest.mark.parametrize(
    "text",
    [
        "Your password has expired.\nYou must change it now.",
        "WARNING: Your password has expired.",
        "You are required to change your password immediately (password expired).",
        "You are required to change your password immediately (administrator enforced).",
        "Password change required but no TTY available.",
        "Password Expired. Enter a new one now:",
        "Your account has expired; please contact your system administrator.",
        "This is an expired password, choose another one",
        "Enter your new password:",
        "(current) UNIX password:",
    ],
)
def test_a_device_asks_for_a_new_password_in_many_words(text: str) -> None:
    assert says_expired(text)


@pytest.mark.parametrize(
    "text",
    [
        "The evaluation license has expired.",
        "% License of feature securityk9 expired 12 days ago\nPassword authentication only.",
        "The certificate of this device has expired. Do not share your password",
        "Password:",
    ],
)
def test_what_else_has_expired_is_no_password(text: str) -> None:
    assert not says_expired(text)


def test_a_slow_login_behind_such_a_banner_is_worth_another_try() -> None:
    session = Session(Login(host="192.0.2.1", username="ada", password="never-to-be-seen-1"))
    session.stage = Cause.NO_PROMPT
    session.hear("*** The evaluation license has expired. ***\r\n")
    error = no_prompt(session, 30.0)
    assert (error.cause, error.retryable) == (Cause.NO_PROMPT, True)
