"""Functions for restricted code."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network

from sdk.compat.migration_hints import refusing

from .registry import register_restricted_function


@register_restricted_function("get_subnet")
def get_subnet_function(ip: str) -> IPv4Network | IPv6Network:
    """The network of an address with a prefix length. Raises `ValueError`."""
    return ip_network(ip, strict=False)


__getattr__ = refusing(__name__)
