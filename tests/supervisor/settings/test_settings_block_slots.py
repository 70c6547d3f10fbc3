"""`--block-slots`: what it may look like, and what it does to the blocks that are there."""

import pytest

from jobrunner.protocol.catalogue import Catalogue
from supervisor.settings.block_slots import parse_block_slots, unknown_in, with_block_slots
from tests.programs.fuzz.fakes import block_entry


def test_a_block_is_named_with_or_without_its_version() -> None:
    assert parse_block_slots(["acme/backup=2", " acme/ping:1.0.0 = 8 "]) == {
        "acme/backup": 2,
        "acme/ping:1.0.0": 8,
    }


@pytest.mark.parametrize(
    "item", ["", "acme/backup", "backup=2", "acme/backup=", "acme/backup=-1", "acme/backup:1=2", "a/b=2=3"]
)
def test_what_is_no_block_with_a_number_is_refused_and_named(item: str) -> None:
    with pytest.raises(ValueError, match="is not package/name=N") as told:
        parse_block_slots([item])
    assert repr(item) in str(told.value)


def test_a_block_that_is_there_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="acme/a is there twice"):
        parse_block_slots(["acme/a=1", "acme/a=2"])


def test_the_setting_goes_before_the_registration_and_a_full_id_before_one_without_version() -> None:
    block = block_entry().model_copy(update={"max_concurrent": 7})
    any_version = f"{block.package}/{block.name}"

    def slots(given: dict[str, int]) -> int | None:
        (changed,) = with_block_slots(Catalogue(blocks=(block,)), given).blocks
        return changed.max_concurrent

    assert slots({any_version: 2}) == 2
    assert slots({any_version: 2, block.id: 3}) == 3
    assert slots({any_version: 0}) is None
    assert slots({"acme/other": 1}) == 7


def test_what_no_block_is_called_is_told() -> None:
    block = block_entry()
    given = {f"{block.package}/{block.name}": 1, block.id: 1, "acme/other": 1}
    assert unknown_in(given, Catalogue(blocks=(block,))) == ["acme/other"]
