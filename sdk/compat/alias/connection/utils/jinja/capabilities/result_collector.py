"""What a template hands back beside its text."""

from __future__ import annotations

from typing import Any

from sdk.compat.migration_hints import refusing


class JinjaResultCollector:
    """Collects values: `{% do rc.set_result("vlan", 7) %}`."""

    def __init__(self) -> None:
        self._results: dict[str, Any] = {}

    def set_result(self, key: str, value: Any) -> None:
        """Keep a value; the last one of a key stays."""
        self._results[key] = value

    @property
    def results(self) -> dict[str, Any]:
        """What was collected."""
        return self._results


__getattr__ = refusing(__name__)
