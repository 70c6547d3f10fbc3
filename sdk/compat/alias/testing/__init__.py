"""What blocks are tested with."""

from sdk.compat.ways_out import refusing

__getattr__ = refusing(__name__)
