"""The modules of `neops_worker_sdk`, loaded under that name if the package itself is not installed.

Each file here stands for the module of the same name there, and maps it to `sdk`. They import each other by relative
imports, because they must find each other under the other name.
"""

from sdk.compat.migration_hints import refusing

__neops_alias__ = True

__getattr__ = refusing(__name__)
