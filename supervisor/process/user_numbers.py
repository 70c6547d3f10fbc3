"""Reads the numbers of the users for jobs."""

import os
from typing import Final

_MOST: Final = 4096
_NO_USER: Final = 2**32 - 1


def parse_users(text: str) -> range:
    """Read `FIRST-LAST`. Raises `ValueError` that says what is wrong."""
    first, dash, last = text.partition("-")
    if not dash or not first.strip().isdecimal() or not last.strip().isdecimal():
        raise ValueError("must be two numbers of users, such as 200000-200015")
    if (highest := max(int(first), int(last))) >= _NO_USER:
        raise ValueError(f"{highest} is no number of a user")
    users = range(int(first), int(last) + 1)
    if not users:
        raise ValueError("the first number is above the last")
    if len(users) > _MOST:
        raise ValueError(f"these are {len(users)} users; {_MOST} are the most")
    if 0 in users:
        raise ValueError("0 is root, as which no job may run")
    if own := [user for user in (os.getuid(), os.geteuid()) if user in users]:
        raise ValueError(f"{own[0]} is the worker's own user, as which no job may run")
    return users
