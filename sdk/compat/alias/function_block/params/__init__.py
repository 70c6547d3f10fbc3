"""Models of parameters that many blocks share: a host and logins."""

from sdk.compat.migration_hints import refusing

from .credentials import Credential, Credentials, CredentialsField, OptionalCredentials
from .fields import OptionalHostValue, PasswordField, PlatformField, UsernameField
from .host import Host

__all__ = [
    "Credential",
    "Credentials",
    "CredentialsField",
    "Host",
    "OptionalCredentials",
    "OptionalHostValue",
    "PasswordField",
    "PlatformField",
    "UsernameField",
]

__getattr__ = refusing(__name__)
