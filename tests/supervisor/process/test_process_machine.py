"""What tells a machine from another one: read from where the kernel and the system say it."""

import os
import time
from pathlib import Path

import pytest

from supervisor.process.birth_time import birth_time_ns
from supervisor.process.machine import Machine, this_machine
from tests.patience import PATIENCE_SECONDS

ID = "0123456789abcdef" * 2


def machine(root: Path, **environment: str) -> Machine:
    return this_machine(root, environment)


def put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.mark.parametrize(
    ("content", "known"),
    [(f"{ID}\n", True), ("", False), ("uninitialized\n", False), (ID[:-1], False), (ID.upper(), False)],
)
def test_a_machine_id_is_known_only_if_it_is_one(tmp_path: Path, content: str, known: bool) -> None:
    put(tmp_path / "etc/machine-id", content)
    assert machine(tmp_path).machine_id == (ID if known else None)


def test_an_older_system_keeps_it_elsewhere_and_a_fifo_in_its_place_holds_nothing_up(tmp_path: Path) -> None:
    put(tmp_path / "var/lib/dbus/machine-id", ID)
    (tmp_path / "etc").mkdir()
    os.mkfifo(tmp_path / "etc/machine-id")
    assert machine(tmp_path).machine_id == ID


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("4C4C4544-0050-3610-8052-B2C04F4E3533", "4c4c4544-0050-3610-8052-b2c04f4e3533"),
        ("00000000-0000-0000-0000-000000000000", None),
        ("FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF", None),
    ],
)
def test_hardware_without_an_id_of_its_own_has_none(tmp_path: Path, text: str, known: str | None) -> None:
    put(tmp_path / "sys/class/dmi/id/product_uuid", f"{text}\n")
    assert machine(tmp_path).hardware_id == known


def test_only_addresses_that_are_built_into_hardware_count(tmp_path: Path) -> None:
    for name, address, kind, has_device in (
        ("eth0", "02:00:00:00:00:01", 0, True),
        ("eth1", "02:00:00:00:00:02", 3, True),  # set by a person, or by a bond
        ("veth0", "02:00:00:00:00:03", 1, False),
        ("bridge", "02:00:00:00:00:04", 0, False),
        ("lo", "00:00:00:00:00:00", 0, True),
    ):
        device = tmp_path / "sys/class/net" / name
        put(device / "address", f"{address}\n")
        put(device / "addr_assign_type", f"{kind}\n")
        if has_device:
            (device / "device").mkdir()
    assert machine(tmp_path).addresses == {"02:00:00:00:00:01"}


@pytest.mark.parametrize(
    ("sign", "environment"),
    [
        (".dockerenv", {}),
        ("run/.containerenv", {}),
        ("", {"container": "podman"}),
        ("", {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}),
        ("proc/self/mounts", {}),
    ],
)
def test_in_a_container_nothing_of_image_and_host_counts_but_the_boot_and_what_its_own_systemd_keeps(
    tmp_path: Path, sign: str, environment: dict[str, str]
) -> None:
    put(tmp_path / "etc/machine-id", ID)
    put(tmp_path / "proc/sys/kernel/random/boot_id", "boot\n")
    if sign:
        put(tmp_path / sign, "overlay / overlay rw,lowerdir=/l 0 0\n")
    put(tmp_path / "sys/class/dmi/id/product_uuid", "4c4c4544-0050-3610-8052-b2c04f4e3533")
    assert machine(tmp_path, **environment) == Machine(boot_id="boot", is_container=True)
    (tmp_path / "run/systemd/system").mkdir(parents=True)
    assert machine(tmp_path, **environment).machine_id == ID
    assert machine(tmp_path, **environment).hardware_id is None


def test_where_nothing_is_said_nothing_is_known(tmp_path: Path) -> None:
    assert machine(tmp_path) == Machine()


def test_the_birth_of_a_directory_can_not_be_set_as_its_other_times_can(tmp_path: Path) -> None:
    descriptor = os.open(tmp_path, os.O_RDONLY)
    born = birth_time_ns(descriptor)
    os.utime(tmp_path, ns=(1, 1))
    again = birth_time_ns(descriptor)
    os.close(descriptor)
    if born is None:
        pytest.skip("the file system of the temporary directory does not say when a directory was made")
    assert born == again
    assert abs(born / 1e9 - time.time()) < PATIENCE_SECONDS
