"""What a block declares about itself."""

from sdk.compat.migration_hints import refusing
from sdk.registration import Registration

__all__ = ["Registration"]

__getattr__ = refusing(__name__)
