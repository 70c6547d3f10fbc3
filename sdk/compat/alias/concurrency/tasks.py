"""Tasks that run beside the block."""

from __future__ import annotations

import importlib
from typing import Any

from sdk.compat.ways_out import refusing

schedule_task: Any = importlib.import_module("sdk.concurrency").schedule_task

__all__ = ["schedule_task"]

__getattr__ = refusing(__name__)
