"""Parameters of which the engine could not resolve all yet."""

from sdk.compat.migration_hints import refusing
from sdk.parsing import parse_leniently

__all__ = ["parse_leniently"]

__getattr__ = refusing(__name__)
