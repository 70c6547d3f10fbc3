"""Of the helpers: the JSON schema of a model."""

from sdk.compat.migration_hints import refusing

__getattr__ = refusing(__name__)
