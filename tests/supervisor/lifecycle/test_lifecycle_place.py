"""Whether a state directory may be a copy: which facts bind, and which decide nothing."""

from dataclasses import replace

import pytest

from supervisor.lifecycle.place import Place, refreshed, stable_volume, why_in_doubt

HERE = Place(
    inode=7,
    born_ns=100,
    volume=9,
    device=2049,
    boot_id="boot",
    machine_id="m",
    hardware_id="h",
    addresses=frozenset({"a", "b"}),
)
BARE = Place(inode=7)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"inode": 8}, "another directory"),
        ({"born_ns": 101}, "another directory"),
        ({"volume": 10}, "another file system"),
        ({"machine_id": "other"}, "machine-id"),
        ({"machine_id": None}, "machine-id"),
        ({"hardware_id": "other"}, "hardware id"),
        ({"addresses": frozenset({"c"})}, "network devices"),
        ({"device": 2050}, "another disk"),
    ],
)
def test_what_only_a_copy_or_a_clone_changes_is_a_doubt_that_says_so(
    change: dict[str, object], says: str
) -> None:
    assert says in str(why_in_doubt(HERE, replace(HERE, **change)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"born_ns": None},
        {"volume": None},
        {"device": None},
        {"hardware_id": None},
        {"addresses": frozenset()},
        {"addresses": frozenset({"b", "c"})},  # one device was exchanged
        {"boot_id": "next", "device": 2050},  # a reboot numbers disks anew
        {"boot_id": None, "device": 2050},
    ],
)
def test_what_changes_without_a_copy_or_is_not_known_any_more_is_none(change: dict[str, object]) -> None:
    assert why_in_doubt(HERE, replace(HERE, **change)) is None  # type: ignore[arg-type]


def test_what_was_not_known_before_is_none() -> None:
    assert why_in_doubt(BARE, HERE) is None


def test_in_a_container_the_volume_decides_alone() -> None:
    container = replace(BARE, born_ns=100, volume=9)
    assert why_in_doubt(container, replace(container, boot_id="elsewhere")) is None
    assert why_in_doubt(container, replace(container, volume=10)) is not None
    assert why_in_doubt(container, replace(container, inode=8)) is not None


def test_what_is_known_stays_known_and_what_is_new_is_added() -> None:
    assert refreshed(HERE, BARE) == replace(HERE, device=None, boot_id=None)
    assert refreshed(BARE, HERE) == HERE


@pytest.mark.parametrize(("fsid", "volume"), [(0, None), (2049, None), (77, 77)])
def test_a_number_that_is_none_or_the_device_s_names_no_volume(fsid: int, volume: int | None) -> None:
    assert stable_volume(fsid, 2049) == volume
