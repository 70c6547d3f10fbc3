"""The `__init__.py` of a named directory runs before what lies beside it, and its own blocks are found."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.supervisor.commands.commands_support import supervisor
from tests.supervisor.commands.local_support import write_block

COUNTS = (
    "import pathlib\nwith open(pathlib.Path(__file__).with_suffix('.ran'), 'a') as ran:\n    ran.write('x')\n"
)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "place").mkdir()
    return tmp_path / "place"


def blocks(place: Path, *flags: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(
        supervisor("blocks", "--json", "--function-blocks", str(place), *flags).stdout
    )
    return told


def files(told: list[dict[str, Any]]) -> list[str]:
    return [Path(each["file"]).name for each in told]


@pytest.mark.parametrize("flags", [(), ("--import-all-modules",)])
def test_a_block_in_the_directory_s_own_init_is_found(place: Path, flags: tuple[str, ...]) -> None:
    write_block(place / "__init__.py")
    told = blocks(place, *flags)
    assert files(told["blocks"]) == ["__init__.py"]
    assert told["blocks"][0]["code_digest"]
    assert (told["problems"], told["left_out"]) == ([], [])


def test_what_the_directory_s_own_init_has_can_be_imported_from_beside_it_and_it_runs_once(
    place: Path,
) -> None:
    (place / "__init__.py").write_text(COUNTS + "SITE = 'muc'\n")
    write_block(place / "Early.py", "SITE", imports="from . import SITE")
    told = blocks(place)
    assert files(told["blocks"]) == ["Early.py"]
    assert (told["problems"], told["left_out"]) == ([], [])
    assert (place / "__init__.ran").read_text() == "x"


def test_a_decorator_that_the_directory_s_own_init_has_registers_also_from_further_below(place: Path) -> None:
    (place / "__init__.py").write_text("from sdk import register_function_block as block\n")
    (place / "below").mkdir()
    write_block(place / "below" / "greet.py")
    greet = (place / "below" / "greet.py").read_text()
    (place / "below" / "greet.py").write_text(
        "from .. import block\n" + greet.replace("@register_function_block", "@block")
    )
    assert files(blocks(place)["blocks"]) == ["greet.py"]


@pytest.mark.parametrize("ends", ["raise RuntimeError('no inventory')", "import os\nos._exit(3)", "x = ("])
def test_an_init_that_fails_is_one_problem_and_what_lies_beside_it_is_there(place: Path, ends: str) -> None:
    write_block(place / "__init__.py")
    (place / "__init__.py").write_text((place / "__init__.py").read_text() + ends)
    write_block(place / "beside.py")
    beside = (place / "beside.py").read_text().replace('name="greet"', 'name="beside"')
    (place / "beside.py").write_text(beside)
    told = blocks(place)
    assert files(told["blocks"]) == ["beside.py"]
    assert files(told["problems"]) == ["__init__.py"]


def test_an_init_with_nothing_to_register_and_nothing_beside_it_does_not_run_and_is_named(
    place: Path,
) -> None:
    (place / "__init__.py").write_text(COUNTS)
    told = blocks(place)
    assert (told["blocks"], files(told["left_out"])) == ([], ["__init__.py"])
    assert "nothing at its top level" in told["left_out"][0]["reason"]
    assert not (place / "__init__.ran").exists()


def test_a_named_file_alone_does_not_run_the_init_beside_it(place: Path) -> None:
    (place / "__init__.py").write_text(COUNTS)
    write_block(place / "greet.py")
    assert files(blocks(place / "greet.py")["blocks"]) == ["greet.py"]
    assert not (place / "__init__.ran").exists()
