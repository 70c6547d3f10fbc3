"""A host to work on, and the logins to try on it."""

from __future__ import annotations

from pydantic import BaseModel

from sdk.compat.migration_hints import refusing

from ..engine_schema import ENGINE_SCHEMA_CONFIG
from .credentials import Credential, Credentials, OptionalCredentials
from .fields import PasswordField, PlatformField, UsernameField


class Host(BaseModel):
    """A host with its address. It may have a login of its own."""

    model_config = ENGINE_SCHEMA_CONFIG

    ip: str
    username: UsernameField = None
    password: PasswordField = None
    platform: PlatformField = None

    def candidate_credentials(self, shared: OptionalCredentials) -> Credentials:
        """The logins to try, in order: the host's own login alone; if it has none, the shared logins that fit.

        Logins for the host's platform come first. Logins for another platform are left out, unless the host has no
        platform.
        """
        if self.username and self.password:
            return [Credential(username=self.username, password=self.password)]
        fitting = [
            each
            for each in shared or []
            if not (self.platform and each.platform) or each.platform == self.platform
        ]
        return sorted(fitting, key=lambda each: not (self.platform and each.platform == self.platform))


__getattr__ = refusing(__name__)
