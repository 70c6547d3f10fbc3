"""A router of the lab, as tests and jobs see it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

from sdk.testing.frr_lab.accounts import VTYSH_USER

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class FrrDevice:
    """One router: how to reach it from this machine. `port` of 127.0.0.1 leads to the SSH server of the router."""

    id: int
    hostname: str
    host: str
    port: int
    username: str
    password: str = field(repr=False)

    @property
    def vtysh(self) -> FrrDevice:
        """The same router with a login to FRR's command line instead of a shell."""
        return replace(self, username=VTYSH_USER)

    def to_neops_device(self) -> dict[str, Any]:
        """Return it in the form that a job's context has, with its password; `connectionOptions` has the port."""
        return {
            "id": self.id,
            "hostname": self.hostname,
            "ip": self.host,
            "username": self.username,
            "password": self.password,
            "platform": {"id": 1, "name": "FRRouting", "shortName": "frr"},
            "vendor": "FRRouting",
            "connectionOptions": json.dumps({"port": self.port}),
        }
