"""The decorator that declares a block."""

from sdk.compat.migration_hints import refusing
from sdk.decorator import register_function_block

__all__ = ["register_function_block"]

__getattr__ = refusing(__name__)
