"""A login that several hosts share."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from sdk.compat.migration_hints import refusing
from sdk.sensitive import SENSITIVE

from .fields import OptionalHostValue


class Credential(BaseModel):
    """A login. One with a platform is tried first on hosts of that platform, and on no others."""

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
