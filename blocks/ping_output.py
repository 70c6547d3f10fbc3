"""Arguments for the program `ping`, and how to read its output: pure functions."""

import ipaddress
import re
from typing import TypedDict

# Labels have letters, digits, hyphens and underscores (RFC 952 forbids those, but they exist in the field). No label
# begins with a hyphen: ping would take the host for an option.
_HOSTNAME = re.compile(
    r"(?=.{1,253}\Z)[A-Za-z0-9_][A-Za-z0-9_-]{0,62}(\.[A-Za-z0-9_][A-Za-z0-9_-]{0,62})*\.?"
)

# The outputs of iputils and busybox differ in one word each.
_COUNTS = re.compile(r"(\d+) packets transmitted, (\d+) (?:packets )?received")
_TIMES = re.compile(r"(?:rtt|round-trip) min/avg/max(?:/mdev)? = ([\d.]+)/([\d.]+)/([\d.]+)")

_NO_SETUID = "setuid"
_NO_PERMISSION = ("operation not permitted", "cap_net_raw", "permission denied", "lacking privilege")


class Statistics(TypedDict):
    """The figures of one run, with the field names of the block's result."""

    reachable: bool
    sent: int
    received: int
    loss_percent: float
    rtt_min_ms: float | None
    rtt_avg_ms: float | None
    rtt_max_ms: float | None


def host_text(value: str) -> str:
    """Return a host in the form in which ping may get it.

    Raises:
        ValueError: the value is neither an IP address nor a host name.
    """
    value = value.strip()
    try:
        return str(ipaddress.ip_address(value))
    except ValueError:
        if _HOSTNAME.fullmatch(value):
            return value
    raise ValueError("must be an IP address or a host name (letters, digits, hyphens and dots)")


def parse_statistics(output: str) -> Statistics | None:
    """Read the summary that ping prints at its end; None when there is none."""
    counts = _COUNTS.search(output)
    if counts is None:
        return None
    sent, received = int(counts[1]), int(counts[2])
    times = _TIMES.search(output)
    shortest, average, longest = (float(text) for text in times.groups()) if times else (None, None, None)
    return Statistics(
        reachable=received > 0,
        sent=sent,
        received=received,
        # Counted here: ping rounds the percentage, and duplicates can make it negative.
        loss_percent=round(100 * max(0, sent - received) / sent, 2) if sent else 0.0,
        rtt_min_ms=shortest,
        rtt_avg_ms=average,
        rtt_max_ms=longest,
    )


def failure_text(stderr: str, *, timed_out: bool) -> tuple[str, bool | None]:
    """Say why ping printed no summary, and whether another try can help (None: not known)."""
    if _NO_SETUID in stderr.lower():
        return (
            "`ping` may not change its user, which it does to give up its rights: the service's hardening forbids "
            "setuid. Take the SystemCallFilter= that leaves it out back in a drop-in.",
            False,
        )
    if any(words in stderr.lower() for words in _NO_PERMISSION):
        return (
            "this worker may not send ICMP. Let it, with: sysctl net.ipv4.ping_group_range='0 2147483647'.",
            False,
        )
    if timed_out:
        return "it did not end in time, most likely because no name server answered.", True
    lines = [line for line in stderr.strip().splitlines() if line]
    return (lines[-1].removeprefix("ping: ") if lines else "ping said nothing about the reason."), None
