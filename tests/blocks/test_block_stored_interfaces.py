"""Interfaces in the database are brought in line with those of the device, and nothing else is touched."""

from typing import Any

from blocks.devices.stored_interfaces import store_interfaces
from sdk import WorkflowContext
from sdk.connection import InterfaceFacts, InterfaceState

UPLINK = InterfaceFacts(
    "GigabitEthernet0/1", InterfaceState.UP, "uplink", ("192.0.2.1/30",), "02:00:5e:00:53:01", 1500, 1000
)
SPARE = InterfaceFacts("GigabitEthernet0/2", InterfaceState.ADMINISTRATIVE_SHUTDOWN)
FACTS_OF_UPLINK = {
    "addresses": ["192.0.2.1/30"],
    "mac_address": "02:00:5e:00:53:01",
    "mtu_bytes": 1500,
    "speed_mbit": 1000,
    "vrf": None,
    "is_shut_down": False,
}


def context_with(*interfaces: dict[str, Any]) -> WorkflowContext:
    raw = {"devices": [{"id": 7, "hostname": "r7"}, {"id": 8}], "interfaces": list(interfaces)}
    return WorkflowContext.from_job(raw, "device", 7)


def test_an_interface_that_the_context_has_not_is_created_at_its_device() -> None:
    context = context_with()
    stored = store_interfaces(context, [UPLINK])
    (update,) = context.compute_db_updates()
    assert (stored.created, stored.changed, stored.missing) == (["GigabitEthernet0/1"], [], [])
    assert (update["operation"], update["identifierFields"], update["skipIfIdentifierExists"]) == (
        "create",
        ["name"],
        True,
    )
    data = update["data"]
    assert (data["name"], data["state"], data["description"], data["facts"]) == (
        "GigabitEthernet0/1",
        "UP",
        "uplink",
        FACTS_OF_UPLINK,
    )
    assert data["device"] == {"id": 7}


def test_an_interface_that_the_context_has_is_updated_and_facts_of_others_stay() -> None:
    old = {
        "id": 21,
        "name": "GigabitEthernet0/1",
        "state": "DOWN",
        "device": {"id": 7},
        "facts": {"patch_panel": "B4/17", "mtu_bytes": 9000},
    }
    context = context_with(old)
    stored = store_interfaces(context, [UPLINK])
    assert (stored.created, stored.changed) == ([], ["GigabitEthernet0/1"])
    patches = {each["path"]: each["value"] for each in context.compute_db_updates()}
    assert patches == {
        "state": "UP",
        "description": "uplink",
        "facts": {"patch_panel": "B4/17", **FACTS_OF_UPLINK},
    }


def test_what_is_as_it_was_is_no_change() -> None:
    context = context_with(
        {
            "id": 21,
            "name": "GigabitEthernet0/1",
            "state": "UP",
            "description": "uplink",
            "device": {"id": 7},
            "facts": FACTS_OF_UPLINK,
        }
    )
    assert store_interfaces(context, [UPLINK]).changed == []
    assert context.compute_db_updates() == []


def test_a_shut_interface_is_down_as_the_database_has_no_longer_word_and_a_fact_says_so() -> None:
    context = context_with()
    store_interfaces(context, [SPARE])
    data = context.compute_db_updates()[0]["data"]
    assert (data["state"], data["facts"]["is_shut_down"]) == ("DOWN", True)


def test_an_interface_that_is_gone_is_named_and_left_alone() -> None:
    context = context_with({"id": 21, "name": "Vlan99", "state": "UP", "device": {"id": 7}})
    assert store_interfaces(context, []).missing == ["Vlan99"]
    assert context.compute_db_updates() == []


def test_an_interface_of_another_device_with_the_same_name_is_not_this_one() -> None:
    other = {"id": 22, "name": "GigabitEthernet0/1", "state": "DOWN", "device": {"id": 8}}
    context = context_with(other)
    stored = store_interfaces(context, [UPLINK])
    assert (stored.created, stored.missing) == (["GigabitEthernet0/1"], [])
    assert [each["operation"] for each in context.compute_db_updates()] == ["create"]
