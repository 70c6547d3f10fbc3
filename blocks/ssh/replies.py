"""What a device answered: whether it refused the command, and the answer as data. Pure functions."""

import re
from typing import Any

from ntc_templates.parse import ParsingException, parse_output  # type: ignore[import-untyped]  # ships no types
from textfsm import TextFSMError  # type: ignore[import-untyped]  # ships no types

_REJECTION = re.compile(
    r"^\s*(%\s*(invalid|incomplete|ambiguous|unknown|unrecognized)\b|syntax error\b|unknown command\b"
    r"|error:\s*(unrecognized|wrong|incomplete)\b)",
    re.IGNORECASE | re.MULTILINE,
)
# A refusal is short. A log that quotes one is not.
_MAX_REJECTION_LINES = 8


def is_rejection(output: str) -> bool:
    """Tell whether an output is a refusal of the command, as IOS, EOS, FRR, Junos and VRP word it."""
    return len(output.strip().splitlines()) <= _MAX_REJECTION_LINES and _REJECTION.search(output) is not None


def parse_reply(device_type: str, command: str, output: str) -> list[dict[str, Any]] | None:
    """Return the rows that the TextFSM template for platform and command finds, None without one that fits.

    Called directly rather than by netmiko's `use_textfsm`, which returns either text or rows in one value.
    """
    try:
        rows: list[dict[str, Any]] = parse_output(platform=device_type, command=command, data=output)
    except (ParsingException, TextFSMError):
        return None
    return rows
