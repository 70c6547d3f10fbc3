"""Each block is known by the module whose import registered it, wherever its class was made."""

import json
from pathlib import Path

import pytest

from jobrunner.protocol.catalogue import BlockEntry, Catalogue, ImportProblem
from supervisor.worker.reload import objections
from tests.supervisor.commands.commands_support import supervisor

COMPANY = """
import sdk

class Data(sdk.FunctionBlockResultData):
    pass

def show_block(name, data):
    @sdk.register_function_block(sdk.Registration(package="acme", name=name, description="Shows.", run_on="global",
        fb_type="execute", param_cls=sdk.FunctionBlockParams, result_cls=data))
    class Show(sdk.FunctionBlock[sdk.FunctionBlockParams, data]):
        async def run(self, params, context):
            return sdk.FunctionBlockResult(success=True, message=name, data=data())
"""
ROUTERS = "from company import Data, show_block\nshow_block('version', Data)\n{between}\nshow_block('clock', Data)\n"
SWITCHES = "from company import Data, show_block\nshow_block('vlan', Data)\n"
RAISES = "raise RuntimeError('no inventory')"
ALL = {"acme/version:1.0.0", "acme/clock:1.0.0", "acme/vlan:1.0.0"}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Two modules whose blocks a function of a third one makes."""
    place = tmp_path / "place"
    place.mkdir()
    (place / "company.py").write_text(COMPANY)
    (place / "routers.py").write_text(ROUTERS.format(between=""))
    (place / "switches.py").write_text(SWITCHES)
    return place


def discovered(*sources: Path) -> Catalogue:
    flags = [part for source in sources for part in ("--function-blocks", str(source))]
    told = json.loads(supervisor("blocks", "--json", *flags).stdout)
    return Catalogue.model_validate({name: told[name] for name in ("blocks", "problems")})


def ids(catalogue: Catalogue) -> set[str]:
    return {block.id for block in catalogue.blocks}


def test_a_reload_is_refused_when_a_module_is_broken_whose_blocks_a_function_elsewhere_made(
    place: Path,
) -> None:
    before = discovered(place)
    assert ids(before) == ALL
    (place / "routers.py").write_text(f"{RAISES}\n{ROUTERS.format(between='')}")
    (reason,) = objections(before, discovered(place), require_all=False)
    assert reason == f"{place / 'routers.py'}:1: RuntimeError: no inventory."


def test_a_reload_is_refused_when_a_named_file_is_broken_whose_blocks_lie_in_what_it_imports(
    place: Path, tmp_path: Path
) -> None:
    (place / "all_blocks.py").write_text("import routers\n")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "vlan.py").write_text(COMPANY + "show_block('vlan', Data)\n")
    sources = (place / "all_blocks.py", tmp_path / "other")
    before = discovered(*sources)
    assert ids(before) == ALL
    (place / "all_blocks.py").write_text(f"{RAISES}\nimport routers\n")
    (reason,) = objections(before, discovered(*sources), require_all=False)
    assert reason == f"{place / 'all_blocks.py'}:1: RuntimeError: no inventory."


def test_no_block_of_a_module_that_failed_further_down_is_offered_also_where_a_function_elsewhere_made_it(
    place: Path,
) -> None:
    (place / "routers.py").write_text(ROUTERS.format(between=RAISES))
    assert ids(discovered(place)) == {"acme/vlan:1.0.0"}


def test_blocks_of_a_module_that_a_failed_one_had_imported_to_its_end_are_offered(place: Path) -> None:
    (place / "a_first.py").write_text(
        f"import sdk\nfrom . import switches\nclass A(sdk.FunctionBlock): ...\n{RAISES}\n"
    )
    assert ids(discovered(place)) == ALL


def test_a_block_that_went_on_purpose_is_no_reason_against_a_reload(place: Path) -> None:
    before = discovered(place)
    (place / "switches.py").unlink()
    (place / "new.py").write_text(f"{RAISES}\n{SWITCHES}")
    after = discovered(place)
    assert len(after.problems) == 1
    assert objections(before, after, require_all=False) == []


def test_a_module_that_the_block_s_own_class_lies_in_is_known_where_the_import_is_not() -> None:
    block = BlockEntry.model_construct(id="acme/a:1.0.0", module="acme.a")
    problem = ImportProblem(
        module="acme.a", file=None, line=None, kind="error", message="it raised", traceback=""
    )
    other = BlockEntry.model_construct(id="acme/b:1.0.0", module="acme.b")
    before, after = (
        Catalogue.model_construct(blocks=(block, other)),
        Catalogue.model_construct(blocks=(other,), problems=(problem,)),
    )
    assert objections(before, after, require_all=False) == ["acme.a: it raised."]
