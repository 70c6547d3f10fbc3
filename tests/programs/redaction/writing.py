"""The ways in which a secret is written into a text: each takes it and returns what stands in the text instead."""

import base64
import html
import json
import pprint
import reprlib
import shlex
import textwrap
import unicodedata
import urllib.parse
from collections.abc import Callable
from typing import Final

import yaml
from pydantic import BaseModel, ValidationError

Writing = Callable[[str], str]


class Closed(BaseModel):
    """Refuses every text, and says which."""

    note: int


def pydantic_error(secret: str) -> str:
    try:
        Closed.model_validate({"note": secret})
    except ValidationError as error:
        return str(error)
    return ""  # the secret was a number


def lower_hex(quoted: str) -> str:
    parts = quoted.split("%")
    return "%".join([parts[0], *(part[:2].lower() + part[2:] for part in parts[1:])])


def in_base64(before: bytes, *, url_safe: bool = False, wrapped: bool = False) -> Writing:
    def write(secret: str) -> str:
        data = before + secret.encode() + b"/rest"
        if wrapped:
            return base64.encodebytes(data).decode()
        return (base64.urlsafe_b64encode if url_safe else base64.b64encode)(data).decode()

    return write


def in_other_letters(change: Writing) -> Writing:
    # A plain word is left: see `forms.plain_forms`.
    return lambda secret: secret if secret.isalpha() else change(secret)


WRITINGS: Final[dict[str, Writing]] = {
    "plain": lambda secret: secret,
    "repr": repr,
    "ascii": ascii,
    "repr of bytes": lambda secret: repr(secret.encode()),
    "f-string with =": lambda secret: f"{secret=}",
    "JSON": json.dumps,
    "JSON, not ASCII": lambda secret: json.dumps({"note": secret}, ensure_ascii=False),
    "JSON in JSON": lambda secret: json.dumps(json.dumps({"note": secret})),
    "JSON in JSON in repr": lambda secret: repr(json.dumps(json.dumps([secret]))),
    "URL path": urllib.parse.quote,
    "URL, all quoted": lambda secret: urllib.parse.quote(secret, safe=""),
    "URL, as browsers": lambda secret: urllib.parse.quote(secret, safe="!~*'()"),
    "URL, lower hexadecimals": lambda secret: lower_hex(urllib.parse.quote(secret, safe="")),
    "form": lambda secret: urllib.parse.urlencode({"a": 1, "note": secret}),
    "URL in JSON": lambda secret: json.dumps(urllib.parse.quote(secret)),
    "JSON in a URL": lambda secret: urllib.parse.quote(json.dumps({"x": secret})),
    "URL twice": lambda secret: urllib.parse.quote(urllib.parse.quote(secret)),
    "HTML": html.escape,
    "shell": shlex.quote,
    "shell, with backslashes": lambda secret: "'" + secret.replace("'", "'\\''") + "'",
    "base64": in_base64(b""),
    "base64 of user and password": in_base64(b"user:"),
    "base64, third alignment": in_base64(b"me"),
    "base64 for URLs": in_base64(b"?", url_safe=True),
    "base64 of a mail": in_base64(b"x" * 50, wrapped=True),
    "base64 in JSON": lambda secret: json.dumps({"auth": in_base64(b"a:")(secret)}),
    "hexadecimal": lambda secret: secret.encode().hex(),
    "HEXADECIMAL": lambda secret: secret.encode().hex().upper(),
    "abbreviated": reprlib.repr,
    "error of pydantic": pydantic_error,
    "wrapped": lambda secret: (
        f"\n{textwrap.fill(secret, 30)}\n" if len(secret) > 60 and "\n" not in secret else secret
    ),
    "hexadecimal with colons": lambda secret: secret.encode().hex(":"),
    "hexadecimal with blanks": lambda secret: secret.encode().hex(" "),
    "HEXADECIMAL with colons": lambda secret: secret.encode().hex(":").upper(),
    "decomposed": lambda secret: unicodedata.normalize("NFD", secret),
    "repr of UTF-16": lambda secret: repr(secret.encode("utf-16-le")),
    # As they come over the channel, which is JSON.
    "bytes that are no ASCII": lambda secret: ascii(secret.encode().decode("ascii", "surrogateescape")),
    "hexadecimal with hyphens": lambda secret: secret.encode().hex("-"),
    "hexadecimal in fours": lambda secret: secret.encode().hex(".", -2),
    "hexadecimal in a list": lambda secret: str([hex(byte) for byte in secret.encode()]),
    # Of other scripts, what would be a control character ends a run of digits.
    "hexadecimal of UTF-16": lambda secret: secret.encode(
        "utf-16-le" if secret.isascii() else "utf-8", "surrogatepass"
    ).hex(" "),
    "base64 of UTF-16": lambda secret: base64.b64encode(secret.encode("utf-16-le")).decode(),
    "compatible characters": lambda secret: unicodedata.normalize("NFKC", secret),
    "compatible characters, decomposed": lambda secret: unicodedata.normalize("NFKD", secret),
    "URL of decomposed": lambda secret: urllib.parse.quote(unicodedata.normalize("NFD", secret)),
    "capitals": in_other_letters(str.upper),
    "small letters": in_other_letters(str.lower),
    "SQL": lambda secret: "'" + secret.replace("'", "''") + "'",
    "YAML": lambda secret: yaml.safe_dump({"note": secret}, width=40, allow_unicode=True),
    "with a style": lambda secret: f"\x1b[1m{secret[:5]}\x1b[0;32m{secret[5:]}\x1b[0m",
    # Each line comes by itself where it is printed.
    "pprint": lambda secret: "\n" + pprint.pformat({"hostname": "core-1", "note": secret}, width=60) + "\n",
    "pprint of bytes": lambda secret: "\n" + pprint.pformat([secret.encode()], width=60) + "\n",
    "twice": lambda secret: f"{secret}{secret}",
}
"""By name, for the report."""
