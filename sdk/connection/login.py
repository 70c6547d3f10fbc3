"""Where and how to log in to a device."""

from __future__ import annotations

from dataclasses import dataclass, field

DEFAULT_PORT = 22


@dataclass(frozen=True, slots=True)
class JumpHost:
    """The host that a device is reached through."""

    host: str
    username: str
    port: int = DEFAULT_PORT
    password: str | None = field(default=None, repr=False)
    key_file: str | None = None
    passphrase: str | None = field(default=None, repr=False)

    @property
    def where(self) -> str:
        """The jump host as messages name it."""
        return f"{self.host} port {self.port}"


@dataclass(frozen=True, slots=True)
class Login:
    """Where and how to log in. Secrets stay out of every `repr`."""

    host: str
    username: str
    port: int = DEFAULT_PORT
    password: str | None = field(default=None, repr=False)
    key_file: str | None = None
    passphrase: str | None = field(default=None, repr=False)
    enable_secret: str | None = field(default=None, repr=False)
    jump: JumpHost | None = None

    @property
    def where(self) -> str:
        """The device as messages name it."""
        return f"{self.host} port {self.port}"

    @property
    def secrets(self) -> frozenset[str]:
        """What must be shown nowhere."""
        own = (self.password, self.passphrase, self.enable_secret)
        theirs = (self.jump.password, self.jump.passphrase) if self.jump else ()
        return frozenset(text for text in (*own, *theirs) if text)
