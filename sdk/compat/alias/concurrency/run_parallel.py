"""Parallel calls."""

from __future__ import annotations

import importlib
from typing import Any

from sdk.compat.ways_out import refusing

run_parallel: Any = importlib.import_module("sdk.concurrency").run_parallel

__all__ = ["run_parallel"]

__getattr__ = refusing(__name__)
