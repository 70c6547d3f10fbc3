"""`neops_base/routes`: which routes are returned."""

import pytest
from pydantic import ValidationError

from blocks.devices.routes import RoutesParams, chosen_routes
from sdk.connection import NextHop, Route

ROUTES = [
    Route("0.0.0.0/0", "static", (NextHop("192.0.2.254"),)),
    Route("192.0.2.0/24", "connected", (NextHop(None, "eth0"),)),
    Route("192.0.2.1/32", "local", (NextHop(None, "eth0"),)),
    Route("198.51.100.0/24", "ospf", (NextHop("192.0.2.2", "eth0"),)),
    Route("2001:db8::/48", "ospf", (NextHop("fe80::2", "eth0"),)),
    Route("192.0.2.0/24", "connected", (NextHop(None, "eth1"),), vrf="red"),
]


@pytest.mark.parametrize(
    ("within", "protocols", "prefixes"),
    [
        ("0.0.0.0/0", [], ["0.0.0.0/0", "192.0.2.0/24", "192.0.2.1/32", "198.51.100.0/24", "192.0.2.0/24"]),
        ("::/0", [], ["2001:db8::/48"]),
        (None, ["ospf"], ["198.51.100.0/24", "2001:db8::/48"]),
        ("192.0.2.0/24", [], ["192.0.2.0/24", "192.0.2.1/32", "192.0.2.0/24"]),
        ("0.0.0.0/0", ["OSPF", "static"], ["0.0.0.0/0", "198.51.100.0/24"]),
        ("192.0.2.0/24", ["ospf"], []),
    ],
)
def test_routes_are_chosen_by_network_and_protocol(
    within: str | None, protocols: list[str], prefixes: list[str]
) -> None:
    assert [route.prefix for route in chosen_routes(ROUTES, within, protocols)] == prefixes


def test_routes_are_chosen_by_vrf() -> None:
    assert [route.vrf for route in chosen_routes(ROUTES, None, [], "red")] == ["red"]
    assert {route.vrf for route in chosen_routes(ROUTES, None, [], "default")} == {None}


def test_a_network_that_is_none_is_refused_before_anything_is_asked() -> None:
    with pytest.raises(ValidationError, match="within"):
        RoutesParams(within="192.0.2.1/24")
