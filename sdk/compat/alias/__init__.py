"""The modules of `neops_worker_sdk`, loaded under that name where the package itself is not installed.

Each file here is the module of its name there, and maps it to `sdk`. Imports among them are relative, as they must
find each other under the other name.
"""

from sdk.compat.migration_hints import refusing

__neops_alias__ = True

__getattr__ = refusing(__name__)
