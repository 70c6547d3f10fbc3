"""What marks a field as secret."""

from sdk.compat.ways_out import refusing
from sdk.sensitive import SENSITIVE, Sensitive

__all__ = ["SENSITIVE", "Sensitive"]

__getattr__ = refusing(__name__)
