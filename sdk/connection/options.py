"""The connection options of a device: a JSON object in one text field of the inventory. Pure.

No message holds a value, because some values are passwords.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from sdk.errors import SdkError

MOST_CHARACTERS: Final = 65_536

FIELDS: Final = frozenset(
    {
        "host",
        "port",
        "username",
        "password",
        "key_file",
        "private_key",
        "passphrase",
        "enable_secret",
        "jump_host",
    }
)
JUMP_FIELDS: Final = FIELDS - {"enable_secret", "jump_host"}


class OptionsError(SdkError):
    """Connection options can't be used. `str()` says why; it continues a sentence after "because"."""


def options_in(text: object) -> dict[str, Any]:
    """Return the options in the field; empty if the field is empty.

    Raises `OptionsError`: it is not a JSON object, has an unknown key, or a value of the wrong kind.
    """
    if text is None:
        return {}
    if not isinstance(text, str):
        raise OptionsError("they are no text: the field holds JSON as a text, such as '{\"port\": 2222}'")
    if not text.strip():
        return {}
    if len(text) > MOST_CHARACTERS:
        raise OptionsError(f"they have more than {MOST_CHARACTERS} characters")
    try:
        options = json.loads(text)
    except json.JSONDecodeError as error:
        raise OptionsError(f"they are no JSON (line {error.lineno}, column {error.colno})") from None
    except (ValueError, RecursionError):
        raise OptionsError("they are no JSON that can be read") from None
    if not isinstance(options, dict):
        raise OptionsError('they are no JSON object, such as {"port": 2222}')
    _check(options, FIELDS, "")
    jump = options.get("jump_host")
    if isinstance(jump, dict):
        _check(jump, JUMP_FIELDS, "jump_host.")
        if not jump.get("host"):
            raise OptionsError("jump_host has no host")
    return options


def _check(options: Mapping[str, Any], fields: Iterable[str], path: str) -> None:
    known = sorted(fields)
    for key, value in options.items():
        if key not in known:
            raise OptionsError(_unknown(f"{path}{key}", key, known))
        if value is None:
            continue
        if key == "port":
            if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 65536:
                raise OptionsError(f"{path}port is no number from 1 to 65535")
        elif key == "jump_host":
            if not isinstance(value, str | dict):
                raise OptionsError("jump_host is neither an address nor an object")
        elif not isinstance(value, str):
            raise OptionsError(f"{path}{key} is no text")


def _unknown(shown: str, key: str, known: list[str]) -> str:
    # A key is also text from a person, and may be a password in the wrong place.
    near = difflib.get_close_matches(key, known, n=1)
    if near:
        return f"they have the key {shown[:50]!r}, which is not known; {near[0]!r} is"
    return f"they have a key that is not known; the known ones are {', '.join(known)}"
