"""A logger for a module."""

import logging

from sdk.compat.migration_hints import refusing

from .adapters import LoguruContextualLogger


class Logger(LoguruContextualLogger):
    """A logger without a context, for use outside of a block."""

    def __init__(self) -> None:
        super().__init__(logging.getLogger("block"))


__getattr__ = refusing(__name__)
