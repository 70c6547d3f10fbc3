"""`neops_base/host_facts`: facts about the worker's own machine, and its load."""

import asyncio
import platform
import socket
from datetime import UTC, datetime

import psutil
from pydantic import BaseModel

from sdk import (
    FunctionBlock,
    FunctionBlockParams,
    FunctionBlockResult,
    FunctionBlockResultData,
    Registration,
    WorkflowContext,
    register_function_block,
)


class HostFactsParams(FunctionBlockParams):
    """Nothing to choose."""


class Disk(BaseModel):
    """One mounted file system on a real disk."""

    mountpoint: str
    filesystem: str
    total_bytes: int
    used_bytes: int
    free_bytes: int


class Address(BaseModel):
    """One address of an interface: IPv4, IPv6 or link layer. `family` is psutil's name, such as `AF_INET`."""

    family: str
    address: str
    netmask: str | None


class NetworkInterface(BaseModel):
    """One network interface. `speed_mbit` is absent if the kernel does not know it."""

    name: str
    up: bool
    mtu_bytes: int
    speed_mbit: int | None
    addresses: list[Address]


class HostFactsResult(FunctionBlockResultData):
    """Facts at one moment. Sizes are in bytes, load averages over 1, 5 and 15 minutes."""

    hostname: str
    kernel: str
    architecture: str
    python_version: str
    boot_time: datetime
    cpu_count: int
    load_average: tuple[float, float, float]
    memory_total_bytes: int
    memory_available_bytes: int
    swap_total_bytes: int
    swap_used_bytes: int
    disks: list[Disk]
    interfaces: list[NetworkInterface]


@register_function_block(
    Registration(
        package="neops_base",
        name="host_facts",
        version=(1, 0, 0),
        description="Reports CPU, memory, disks and network interfaces of the worker's machine",
        markdown_helptext="Facts about the worker's machine, read with psutil. Reads only, changes nothing.",
        run_on="global",
        fb_type="facts",
        param_cls=HostFactsParams,
        result_cls=HostFactsResult,
        is_pure=True,
        is_idempotent=True,
    )
)
class HostFacts(FunctionBlock[HostFactsParams, HostFactsResult]):
    """Reports facts about the worker's machine."""

    async def run(
        self, params: HostFactsParams, context: WorkflowContext
    ) -> FunctionBlockResult[HostFactsResult]:
        """Return the facts; fails only when the kernel's files can't be read."""
        # In a thread: the kernel can take long to tell the size of a file system.
        facts = await asyncio.to_thread(_collect)
        message = f"{facts.hostname}: {facts.cpu_count} CPUs, {facts.memory_total_bytes >> 20} MiB of memory"
        return FunctionBlockResult(success=True, message=message, data=facts)


def _collect() -> HostFactsResult:
    memory = psutil.virtual_memory()
    swap = psutil.swap_memory()
    return HostFactsResult(
        hostname=socket.gethostname(),
        kernel=f"{platform.system()} {platform.release()}",
        architecture=platform.machine(),
        python_version=platform.python_version(),
        boot_time=datetime.fromtimestamp(psutil.boot_time(), tz=UTC),
        cpu_count=psutil.cpu_count() or 1,
        load_average=psutil.getloadavg(),
        memory_total_bytes=memory.total,
        memory_available_bytes=memory.available,
        swap_total_bytes=swap.total,
        swap_used_bytes=swap.used,
        disks=_disks(),
        interfaces=_interfaces(),
    )


def _disks() -> list[Disk]:
    disks: list[Disk] = []
    # Only real devices (`all=False`): a network file system without its server would block for minutes.
    for partition in psutil.disk_partitions(all=False):
        try:
            usage = psutil.disk_usage(partition.mountpoint)
        except OSError:
            continue  # unmounted since, or we may not look at it
        disks.append(
            Disk(
                mountpoint=partition.mountpoint,
                filesystem=partition.fstype,
                total_bytes=usage.total,
                used_bytes=usage.used,
                free_bytes=usage.free,
            )
        )
    return disks


def _interfaces() -> list[NetworkInterface]:
    states = psutil.net_if_stats()
    interfaces: list[NetworkInterface] = []
    for name, addresses in sorted(psutil.net_if_addrs().items()):
        state = states.get(name)
        interfaces.append(
            NetworkInterface(
                name=name,
                up=bool(state and state.isup),
                mtu_bytes=state.mtu if state else 0,
                speed_mbit=(state.speed or None) if state else None,
                addresses=[
                    Address(family=item.family.name, address=item.address, netmask=item.netmask)
                    for item in addresses
                ],
            )
        )
    return interfaces
