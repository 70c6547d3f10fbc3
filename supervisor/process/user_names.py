"""What messages call a user."""

import pwd


def user_name(uid: int) -> str:
    """Return a user's name, or his number where nobody knows a name."""
    try:
        return f"user {pwd.getpwuid(uid).pw_name}"
    except KeyError:
        return f"user {uid}"
