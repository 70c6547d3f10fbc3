"""What a log may say about a configuration or a dialogue: only its size."""

from __future__ import annotations

from sdk.compat.migration_hints import refusing


def describe_config(config: str | list[str]) -> str:
    """The number of lines and bytes that are sent."""
    lines = config.splitlines() if isinstance(config, str) else config
    return f"{len(lines)} line(s), {sum(len(line.encode()) for line in lines)} bytes"


def describe_interactions(interactions: list[tuple[str, str]]) -> str:
    """The number of steps of a dialogue, and its first input."""
    first = f", starting with {interactions[0][0]!r}" if interactions else ""
    return f"{len(interactions)} step(s){first}"


__getattr__ = refusing(__name__)
