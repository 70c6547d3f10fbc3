"""Parameters of blocks that search networks."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, field_validator

from sdk.compat.migration_hints import refusing

from .engine_schema import EngineSchemaFunctionBlockParams
from .params.credentials import CredentialsField, OptionalCredentials
from .params.fields import PlatformField
from .params.host import Host


class Subnet(EngineSchemaFunctionBlockParams):
    """A network to search. It may have logins and a platform of its own."""

    cidr: str
    credentials: CredentialsField = None
    platform: PlatformField = None

    @field_validator("cidr")
    @classmethod
    def normalise_cidr(cls, value: str) -> str:
        """The network of an address with a prefix length. Raises `ValueError`."""
        return str(ipaddress.ip_network(value, strict=False))


Subnets = list[Subnet] | None
SubnetsField = Annotated[
    Subnets, Field(default=None, title="Subnets", description="Networks to look through.")
]
Hosts = list[Host] | None
HostsField = Annotated[Hosts, Field(default=None, title="Hosts", description="Hosts to look at.")]


@dataclass
class Target:
    """A host to try, and the logins to try there."""

    host: Host
    credentials: OptionalCredentials


class TargetLimitExceeded(ValueError):  # noqa: N818  # the name that blocks catch
    """There are more targets than the limit allows; `count` is the number that was counted."""

    def __init__(self, count: int) -> None:
        super().__init__(f"There are {count} targets or more, which is over the limit.")
        self.count = count


class DiscoveryParameters(EngineSchemaFunctionBlockParams):
    """Networks, and logins for networks that have none."""

    subnets: SubnetsField = None
    credentials: CredentialsField = None

    def targets(self, limit: int) -> list[Target]:
        """Each address once, from the smallest network that holds it. Raises `TargetLimitExceeded`; 0: no limit."""
        found: dict[str, Target] = {}
        for subnet in sorted(self.subnets or (), key=_prefix_length, reverse=True):
            shared = self.credentials if subnet.credentials is None else subnet.credentials
            for address in _addresses(subnet):
                if address not in found:
                    found[address] = Target(Host(ip=address, platform=subnet.platform), shared)
                if limit and len(found) > limit:
                    raise TargetLimitExceeded(len(found))
        return list(found.values())


def _prefix_length(subnet: Subnet) -> int:
    return ipaddress.ip_network(subnet.cidr).prefixlen


def _addresses(subnet: Subnet) -> Iterator[str]:
    return (str(address) for address in ipaddress.ip_network(subnet.cidr).hosts())


__all__ = [
    "DiscoveryParameters",
    "Hosts",
    "HostsField",
    "Subnet",
    "Subnets",
    "SubnetsField",
    "Target",
    "TargetLimitExceeded",
]

__getattr__ = refusing(__name__)
