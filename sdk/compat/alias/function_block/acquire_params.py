"""The parameters a block sees while acquiring."""

from sdk.acquire_params import AcquireParams
from sdk.compat.migration_hints import refusing

__all__ = ["AcquireParams"]

__getattr__ = refusing(__name__)
