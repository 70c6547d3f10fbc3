"""The blocks that read from devices, on real FRR: a login to a shell, and one to vtysh."""

import time
from typing import Any

import pytest
from blocks_support import run_block

from blocks.devices.interface_facts import InterfaceFactsBlock, InterfaceFactsParams
from blocks.devices.neighbors import Neighbors, NeighborsParams
from blocks.devices.routes import Routes, RoutesParams
from sdk import WorkflowContext
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.needs("frr lab")


def context_of(router: Any) -> WorkflowContext:
    device = {
        "id": 1,
        "hostname": router.hostname,
        "ip": router.host,
        "username": router.username,
        "password": router.password,
        "platform": {"shortName": "frr"},
    }
    return WorkflowContext.from_job({"devices": [device]}, "device", 1)


@pytest.mark.parametrize("login", ["shell", "vtysh"])
async def test_interfaces_and_routes_are_read(simple_frr: list[Any], login: str) -> None:
    router = simple_frr[0] if login == "shell" else simple_frr[0].vtysh
    context = context_of(router)
    facts = await run_block(InterfaceFactsBlock(), InterfaceFactsParams(port=router.port), context)
    assert "eth1" in facts.data.created
    assert {each["entity"] for each in context.compute_db_updates()} == {"interface"}
    routes = await run_block(Routes(), RoutesParams(port=router.port, within="10.255.0.0/24"), context)
    assert "10.255.0.1/32" in [route.prefix for route in routes.data.routes]
    assert context.device is not None
    assert context.device.facts == {"route_counts": routes.data.counts}


async def test_neighbors_are_stored_as_a_fact(simple_frr: list[Any]) -> None:
    router = simple_frr[0]
    context = context_of(router)
    end = time.monotonic() + PATIENCE_SECONDS
    # They hear of each other some seconds after the start of the lab.
    while not (await run_block(Neighbors(), NeighborsParams(port=router.port), context)).data.neighbors:
        assert time.monotonic() < end
    assert context.device is not None
    assert context.device.facts is not None
    assert [(each["protocol"], each["name"]) for each in context.device.facts["neighbors"]] == [
        ("lldp", "r2")
    ]
