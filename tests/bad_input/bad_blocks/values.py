"""Puts any value into its result. Each is made in the child: most could not travel there."""

import dataclasses
import enum
import math
import resource
import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from ipaddress import ip_address, ip_interface, ip_network
from pathlib import Path
from typing import Any

from common import Anything, Choice, bad

from sdk import FunctionBlock, FunctionBlockResult, WorkflowContext, register_function_block


class Colour(enum.Enum):
    RED = "red"


@dataclasses.dataclass
class Box:
    width: int
    inside: Any = None


class Unwritable:
    pass


def circle() -> dict[str, Any]:
    inside: list[Any] = []
    inside.append({"again": inside})
    return {"list": inside}


def deep() -> list[Any]:
    nested: list[Any] = []
    for _ in range(5000):
        nested = [nested]
    return nested


def once_here_and_often_in_json() -> list[str]:
    """A text that JSON has a thousand times, where the process may get only a little more memory."""
    held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (held + 128 * 2**20, resource.getrlimit(resource.RLIMIT_AS)[1]))
    return ["x" * 2**20] * 1000


VALUES: dict[str, Callable[[], Any]] = {
    "uuid": lambda: uuid.UUID(int=1),
    "set": lambda: {3, 1, 2},
    "frozenset": lambda: frozenset({"a"}),
    "datetime": lambda: datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    "date": lambda: date(2026, 1, 2),
    "time": lambda: time(3, 4, 5),
    "timedelta": lambda: timedelta(days=1, seconds=2.5),
    "decimal": lambda: Decimal("1.50"),
    "enum": lambda: Colour.RED,
    "path": lambda: Path("/a/b"),
    "dataclass": lambda: Box(1, Box(2)),
    "ipv4 address": lambda: ip_address("192.0.2.1"),
    "ipv6 address": lambda: ip_address("2001:db8::1"),
    "ipv4 network": lambda: ip_network("192.0.2.0/24"),
    "ipv6 network": lambda: ip_network("2001:db8::/32"),
    "ipv4 interface": lambda: ip_interface("192.0.2.1/24"),
    "ipv6 interface": lambda: ip_interface("2001:db8::1/64"),
    "utf-8 bytes": lambda: "grün".encode(),
    "other bytes": lambda: b"\xff\x00",
    "int keys": lambda: {1: "a", 2: Colour.RED},
    "enum key": lambda: {Colour.RED: 1},
    "lone surrogate": lambda: "half \ud83d pair",
    "lone surrogate key": lambda: {"half \ud83d": 1},
    "large int": lambda: 2**70,
    "deep enough": lambda: [[[[["five"]]]]],
    "nan": lambda: {"rate": [1.0, math.nan]},
    "inf": lambda: math.inf,
    "decimal nan": lambda: Decimal("NaN"),
    "complex": lambda: 1j,
    "none key": lambda: {None: 1},
    "tuple key": lambda: {(1, 2): 3},
    "colliding keys": lambda: {5: "a", "5": "b"},
    "huge int": lambda: 10**5000,
    "deep": deep,
    "circle": circle,
    "object": lambda: {"seen": [Unwritable()]},
    "class": lambda: Unwritable,
    "function": lambda: circle,
    "generator": lambda: (each for each in "ab"),
    "open file": lambda: open("/dev/null"),  # noqa: SIM115
    "exception": lambda: ValueError("text"),
    "50 MB": lambda: {"little": 1, "config": "x" * 50_000_000},
    "1000 MB": once_here_and_often_in_json,
}


@register_function_block(bad("value"))
class Value(FunctionBlock[Choice, Anything]):
    async def run(self, params: Choice, context: WorkflowContext) -> FunctionBlockResult[Anything]:
        return FunctionBlockResult(success=True, message="ok", data=Anything(value=VALUES[params.which]()))
