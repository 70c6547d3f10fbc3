"""Which numbers of users are taken for jobs, and what is said of others."""

import os

import pytest

from supervisor.process import user_numbers
from supervisor.process.user_numbers import parse_users


@pytest.mark.parametrize(
    ("text", "users"),
    [
        ("200000-200015", range(200_000, 200_016)),
        (" 1 - 1 ", range(1, 2)),
        ("200000-204095", range(200_000, 204_096)),
        ("4294967294-4294967294", range(4_294_967_294, 4_294_967_295)),
    ],
    ids=["some", "one", "as many as there may be", "the highest number"],
)
def test_both_ends_belong_to_it(text: str, users: range) -> None:
    assert parse_users(text) == users


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "two numbers"),
        ("7", "two numbers"),
        ("7-", "two numbers"),
        ("-7", "two numbers"),
        ("a-7", "two numbers"),
        ("7-b", "two numbers"),
        ("1-2-3", "two numbers"),
        ("8-7", "above the last"),
        ("200000-204096", "these are 4097 users; 4096 are the most"),
        ("0-7", "0 is root"),
        ("4294967294-4294967295", "4294967295 is no number of a user"),
        ("4294967296-4294967296", "4294967296 is no number of a user"),
        ("1-99999999999999999999", "99999999999999999999 is no number of a user"),
        ("99999999999999999999-1", "99999999999999999999 is no number of a user"),
    ],
)
def test_what_is_wrong_is_said(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_users(text)


@pytest.mark.parametrize("which", ["getuid", "geteuid"])
def test_no_job_runs_as_the_worker_s_own_user(monkeypatch: pytest.MonkeyPatch, which: str) -> None:
    """It could read what the worker holds. Neither as the user that has started it, nor as the one that it is now."""
    monkeypatch.setattr(os, "getuid", lambda: 1)
    monkeypatch.setattr(os, "geteuid", lambda: 1)
    monkeypatch.setattr(user_numbers.os, which, lambda: 4711)
    with pytest.raises(ValueError, match="4711 is the worker's own user"):
        parse_users("4700-4720")
