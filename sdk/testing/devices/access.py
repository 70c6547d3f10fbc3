"""Who may log in to an emulated device, and how: one account, by password or key; and the faults of a login."""

import asyncio
from collections.abc import Callable
from typing import Any

import asyncssh

from sdk.testing.devices.faults import Faults

_KEYBOARD_LANGUAGE = "en-US"
_PROHIBITED = 1
"""The reason for a refusal to open a channel (RFC 4254, section 5.1)."""


class Access(asyncssh.SSHServer):
    """Authentication of one connection: it asks for a password in the way that the script says."""

    def __init__(
        self,
        check_password: Callable[[str, str], bool],
        connections: set[asyncssh.SSHServerConnection],
        faults: Faults,
        authorized_key: str | None = None,
        *,
        forwards: bool = False,
    ) -> None:
        self._check_password = check_password
        self._connections = connections
        self._connection: asyncssh.SSHServerConnection | None = None
        self._faults = faults
        self._knows_password = False
        self._authorized_key = authorized_key
        self._forwards = forwards

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        """Count the connection, and cut it if it is one too many."""
        self._connection = conn
        self._connections.add(conn)
        limit = self._faults.session_limit
        if limit is not None and len(self._connections) > limit:
            conn.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop counting it."""
        if self._connection is not None:
            self._connections.discard(self._connection)

    def public_key_auth_supported(self) -> bool:
        """Whether a key is accepted."""
        return self._authorized_key is not None

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        """Whether this key may log in."""
        known = asyncssh.import_public_key(self._authorized_key or "")
        return key.public_data == known.public_data

    def connection_requested(self, dest_host: str, dest_port: int, orig_host: str, orig_port: int) -> bool:
        """Forward a connection, as a jump host does, or refuse it in the words of OpenSSH."""
        if not self._forwards:
            raise asyncssh.ChannelOpenError(_PROHIBITED, "administratively prohibited: open failed")
        return True

    def password_auth_supported(self) -> bool:
        """Whether a plain password is accepted."""
        return not (self._faults.keyboard_interactive_only or self._faults.second_factor)

    async def validate_password(self, username: str, password: str) -> bool:
        """Whether the password is right. The answer comes when the script says."""
        is_right = self._check_password(username, password)
        if self._faults.auth_hang:
            await asyncio.Event().wait()
        await asyncio.sleep(self._faults.login_seconds)
        if not is_right:
            return False
        if self._faults.password_expired:
            raise asyncssh.PasswordChangeRequired("Your password has expired.")
        return True

    def kbdint_auth_supported(self) -> bool:
        """Whether questions are asked."""
        # This is called after each refusal. paramiko then asks for the whole service again, which OpenSSH and routers
        # allow; asyncssh would end the connection.
        vars(self._connection)["_next_service"] = b"ssh-userauth"
        return not self.password_auth_supported()

    def get_kbdint_challenge(self, username: str, lang: str, submethods: str) -> Any:
        """Ask for the password."""
        return ("", "", _KEYBOARD_LANGUAGE, [("Password: ", False)])

    def validate_kbdint_response(self, username: str, responses: Any) -> Any:
        """Return whether the answer is right, or ask for more."""
        if self._knows_password:  # this answer is the code, and nobody has the right one
            return False
        self._knows_password = len(responses) == 1 and self._check_password(username, responses[0])
        if self._knows_password and self._faults.second_factor:
            return ("", "", _KEYBOARD_LANGUAGE, [("Verification code: ", True)])
        return self._knows_password
