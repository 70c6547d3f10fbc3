"""What may be said in a log of a configuration, or of a dialogue: how much it is."""

from __future__ import annotations

from sdk.compat.migration_hints import refusing


def describe_config(config: str | list[str]) -> str:
    """How many lines and bytes are sent."""
    lines = config.splitlines() if isinstance(config, str) else config
    return f"{len(lines)} line(s), {sum(len(line.encode()) for line in lines)} bytes"


def describe_interactions(interactions: list[tuple[str, str]]) -> str:
    """How many steps a dialogue has, and the input it begins with."""
    first = f", starting with {interactions[0][0]!r}" if interactions else ""
    return f"{len(interactions)} step(s){first}"


__getattr__ = refusing(__name__)
