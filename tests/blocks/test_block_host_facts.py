"""neops_base/host_facts, on this machine."""

import os
import socket
import time
from typing import Any

import pytest
from blocks_support import run_block

from blocks.host_facts import HostFacts, HostFactsParams, HostFactsResult


@pytest.fixture
async def facts() -> HostFactsResult:
    result = await run_block(HostFacts(), HostFactsParams())
    assert result.success, result.message
    data: HostFactsResult = result.data
    return data


async def test_the_figures_are_those_of_this_machine(facts: HostFactsResult) -> None:
    assert facts.hostname == socket.gethostname()
    assert facts.cpu_count == os.cpu_count()
    assert facts.kernel.endswith(os.uname().release)
    assert facts.boot_time.timestamp() < time.time()
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert facts.memory_total_bytes == pytest.approx(pages, rel=0.05)
    assert 0 < facts.memory_available_bytes <= facts.memory_total_bytes


async def test_the_loopback_interface_is_there_with_its_address(facts: HostFactsResult) -> None:
    (loopback,) = [interface for interface in facts.interfaces if interface.name == "lo"]
    assert loopback.up
    assert ("AF_INET", "127.0.0.1") in [(item.family, item.address) for item in loopback.addresses]


async def test_disk_sizes_add_up(facts: HostFactsResult) -> None:
    for disk in facts.disks:
        assert 0 <= disk.used_bytes + disk.free_bytes <= disk.total_bytes


async def test_the_facts_are_json(facts: HostFactsResult) -> None:
    dumped: dict[str, Any] = facts.model_dump(mode="json")
    assert HostFactsResult.model_validate(dumped) == facts
