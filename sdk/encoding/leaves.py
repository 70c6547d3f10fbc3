"""Types that are written as one string."""

from __future__ import annotations

import base64
import datetime
import decimal
import ipaddress
import pathlib
import re
import uuid
from collections.abc import Callable
from typing import Any

from pydantic import AnyUrl, Secret, SecretBytes, SecretStr
from pydantic_core import MultiHostUrl, Url


def duration(value: datetime.timedelta) -> str:
    """An ISO 8601 duration in days and seconds: `P1DT30.5S`, `-PT2S`."""
    sign, span = ("-", -value) if value < datetime.timedelta(0) else ("", value)
    fraction = f".{span.microseconds:06d}".rstrip("0") if span.microseconds else ""
    days = f"{span.days}D" if span.days else ""
    return f"{sign}P{days}T{span.seconds}{fraction}S"


def text_of_bytes(value: bytes | bytearray | memoryview) -> str:
    """The text if it is UTF-8, otherwise base64."""
    raw = bytes(value)
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return base64.b64encode(raw).decode("ascii")


def _isoformat(value: datetime.date | datetime.time) -> str:
    return value.isoformat()


def _pattern(value: re.Pattern[Any]) -> str:
    return value.pattern if isinstance(value.pattern, str) else text_of_bytes(value.pattern)


LEAVES: tuple[tuple[type | tuple[type, ...], Callable[[Any], str]], ...] = (
    ((datetime.datetime, datetime.date, datetime.time), _isoformat),
    (datetime.timedelta, duration),
    ((bytes, bytearray, memoryview), text_of_bytes),
    ((uuid.UUID, pathlib.PurePath), str),
    ((ipaddress.IPv4Address, ipaddress.IPv6Address, ipaddress.IPv4Network, ipaddress.IPv6Network), str),
    ((Url, MultiHostUrl, AnyUrl), str),
    ((Secret, SecretStr, SecretBytes), lambda _: "**********"),
    (re.Pattern, _pattern),
    (decimal.Decimal, str),
)
