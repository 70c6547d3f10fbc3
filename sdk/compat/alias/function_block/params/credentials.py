"""A login that several hosts share."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from sdk.compat.migration_hints import refusing
from sdk.sensitive import SENSITIVE

from .fields import OptionalHostValue


class Credential(BaseModel):
    """A login. If it has a platform, it is tried on hosts of that platform only, and there first."""

    model_config = ConfigDict(hide_input_in_errors=True)

    username: str
    password: Annotated[str, SENSITIVE]
    platform: Annotated[
        OptionalHostValue, Field(title="Platform", description="Short name of a platform.")
    ] = None


Credentials = list[Credential]
OptionalCredentials = list[Credential] | None
CredentialsField = Annotated[
    OptionalCredentials,
    Field(default=None, title="Credentials", description="Logins to try, in their order."),
]

__getattr__ = refusing(__name__)
