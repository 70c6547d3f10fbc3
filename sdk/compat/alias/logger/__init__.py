"""Loggers of blocks and of their helpers."""

from sdk.compat.migration_hints import refusing

from .adapters import logger_for
from .base import BaseLogger, ContextualLogger
from .logger import Logger

__all__ = ["BaseLogger", "ContextualLogger", "Logger", "logger_for"]

__getattr__ = refusing(__name__)
