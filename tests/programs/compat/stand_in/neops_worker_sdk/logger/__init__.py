"""Own modules first, then those of the alias."""

from pathlib import Path

import sdk.compat

__path__.append(str(Path(sdk.compat.__file__).parent / "alias" / "logger"))

from .adapters import logger_for  # noqa: E402  # below the path, in which it looks
from .base import BaseLogger, ContextualLogger  # noqa: E402
from .logger import Logger  # noqa: E402

__all__ = ["BaseLogger", "ContextualLogger", "Logger", "logger_for"]
