"""Values that a template returns besides its text."""

from __future__ import annotations

from typing import Any

from sdk.compat.migration_hints import refusing


class JinjaResultCollector:
    """Collects values: `{% do rc.set_result("vlan", 7) %}`."""

    def __init__(self) -> None:
        self._results: dict[str, Any] = {}

    def set_result(self, key: str, value: Any) -> None:
        """Keep a value. A later value replaces an earlier one with the same key."""
        self._results[key] = value

    @property
    def results(self) -> dict[str, Any]:
        """The collected values."""
        return self._results


__getattr__ = refusing(__name__)
