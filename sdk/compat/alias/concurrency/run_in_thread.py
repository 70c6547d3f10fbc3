"""Functions that run in a thread."""

from __future__ import annotations

import importlib
from typing import Any

from sdk.compat.ways_out import refusing

run_in_thread: Any = importlib.import_module("sdk.concurrency").run_in_thread

__all__ = ["run_in_thread"]

__getattr__ = refusing(__name__)
