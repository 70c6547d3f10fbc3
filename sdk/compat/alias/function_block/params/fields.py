"""Types of the fields of a host."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from sdk.compat.migration_hints import refusing
from sdk.sensitive import SENSITIVE


def _unset_when_empty(value: Any) -> Any:
    return None if value == "" else value


OptionalHostValue = Annotated[str | None, BeforeValidator(_unset_when_empty)]
"""A text; an empty text counts as not given."""

# Each type has its default: a model may declare the field by its type alone.
UsernameField = Annotated[
    OptionalHostValue,
    SENSITIVE,
    Field(default=None, title="Username", description="Login of this host alone."),
]
PasswordField = Annotated[
    OptionalHostValue,
    SENSITIVE,
    Field(default=None, title="Password", description="Password of this host alone."),
]
PlatformField = Annotated[
    OptionalHostValue,
    Field(default=None, title="Platform", description="Short name of the host's platform, such as 'frr'."),
]

__getattr__ = refusing(__name__)
