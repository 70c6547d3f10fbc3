"""`neops_base/routes`: the routes that a device has chosen: all of them, or those that you ask for."""

import ipaddress
from collections import Counter
from typing import Annotated

from pydantic import AfterValidator, Field

from blocks.devices.params import DeviceParams
from sdk import (
    FunctionBlock,
    FunctionBlockResult,
    FunctionBlockResultData,
    Registration,
    WorkflowContext,
    register_function_block,
)
from sdk.connection import Information, Route
from sdk.testing import fb_test_case_with_lab

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _network(value: str) -> str:
    return str(ipaddress.ip_network(value))


class RoutesParams(DeviceParams):
    """How to reach the device, and which of its routes to return."""

    within: Annotated[str, AfterValidator(_network)] | None = Field(
        default=None,
        description="Only routes to this network and to networks in it; `0.0.0.0/0` and `::/0` are all of IPv4 and of "
        "IPv6; default: both",
    )
    vrf: str | None = Field(
        default=None,
        description="Only routes of this VRF, `default` for those that are in none; default: of all tables",
    )
    protocols: list[str] = Field(
        default=[],
        max_length=20,
        description="Only routes of these, such as `ospf`, `bgp`, `static`; default: all",
    )
    most_routes: int = Field(
        default=1000, ge=1, le=20_000, description="Return no more than this; the counts are of all"
    )
    store: bool = Field(default=True, description="Store the counts as the fact `route_counts` of the device")


class RoutesResult(FunctionBlockResultData):
    """The requested routes in the order of the device, and how many the device has in all, by protocol."""

    routes: list[Route]
    found: int = Field(description="How many were asked for, also where they are too many to be returned")
    counts: dict[str, int]


Result = FunctionBlockResult[RoutesResult]


@fb_test_case_with_lab(
    "reads the routes of the device",
    RoutesParams(),
    remote_lab_fixture="simple_iol",
    assertions=[
        lambda result: result.data.found == len(result.data.routes) == sum(result.data.counts.values()) > 0,
    ],
)
@fb_test_case_with_lab(
    "returns only what was asked for",
    RoutesParams(protocols=["connected"], within="192.0.2.0/24"),
    remote_lab_fixture="simple_iol",
    assertions=[lambda result: [each.prefix for each in result.data.routes] == ["192.0.2.0/24"]],
)
@register_function_block(
    Registration(
        package="neops_base",
        name="routes",
        version=(1, 0, 0),
        description="Reads the routes that a device has chosen",
        markdown_helptext="Returns prefix, protocol, next hops, distance, metric and VRF of each route, of IPv4 "
        "and IPv6, and stores how many there are by protocol as the fact `route_counts`. Choose by network, VRF and "
        "protocol where a device has many.",
        run_on="device",
        fb_type="facts",
        param_cls=RoutesParams,
        result_cls=RoutesResult,
        is_pure=True,
        is_idempotent=True,
    )
)
class Routes(FunctionBlock[RoutesParams, RoutesResult]):
    """Reads the routes of a device."""

    async def run(self, params: RoutesParams, context: WorkflowContext) -> Result:
        """Return the routes. Raises `DeviceError`."""
        device = context.device
        assert device is not None  # registered to run on a device
        async with params.connect(device, Information) as connection:
            routes = await connection.get_routes(timeout=params.read_timeout_seconds)
        counts = dict(sorted(Counter(route.protocol for route in routes).items()))
        if params.store:
            device.facts = {**(device.facts or {}), "route_counts": counts}
        chosen = chosen_routes(routes, params.within, params.protocols, params.vrf)
        returned = chosen[: params.most_routes]
        message = f"Read {len(routes)} routes"
        if len(chosen) < len(routes):
            message += f", {len(chosen)} of them asked for"
        if len(returned) < len(chosen):
            message += f"; only the first {len(returned)} are returned (most_routes)"
        return Result(
            success=True,
            message=message,
            data=RoutesResult(routes=returned, found=len(chosen), counts=counts),
        )


def chosen_routes(
    routes: list[Route], within: str | None, protocols: list[str], vrf: str | None = None
) -> list[Route]:
    """Return the routes to `within` and to networks in it, of `protocols` and of `vrf`, if these are given."""
    network = None if within is None else ipaddress.ip_network(within)
    wanted = {protocol.lower() for protocol in protocols}
    return [
        route
        for route in routes
        if (not wanted or route.protocol.lower() in wanted)
        and (vrf is None or (route.vrf or "default") == vrf)
        and (network is None or _is_within(route.prefix, network))
    ]


def _is_within(prefix: str, network: _Network) -> bool:
    own = ipaddress.ip_network(prefix, strict=False)
    if isinstance(own, ipaddress.IPv4Network) and isinstance(network, ipaddress.IPv4Network):
        return own.subnet_of(network)
    if isinstance(own, ipaddress.IPv6Network) and isinstance(network, ipaddress.IPv6Network):
        return own.subnet_of(network)
    return False
