"""What blocks are tested with."""

from sdk.compat.migration_hints import refusing

__getattr__ = refusing(__name__)
