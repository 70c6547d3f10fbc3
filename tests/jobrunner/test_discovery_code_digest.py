"""The digest of a block's code: equal for equal files wherever they lie, another one when a file changes."""

import ast
from collections.abc import Callable
from pathlib import Path

import pytest

from jobrunner.discovery import code_digest
from jobrunner.discovery.code_digest import DIGEST_CHARS, CodeDigests
from jobrunner.discovery.module import name_package

FILES = {
    "block.py": "import os\nimport helper\nfrom parts import one\n\ndef run():\n    from parts.late import two\n",
    "helper.py": "from parts import constants\n",
    "parts/__init__.py": "",
    "parts/one.py": "from . import constants\nfrom .deep.down import three\n",
    "parts/late.py": "",
    "parts/constants.py": "A = 1\n",
    "parts/deep/__init__.py": "",
    "parts/deep/down.py": "from ..up import four\n",
    "parts/up.py": "",
    "other_block.py": "import helper\n",
}


def write(directory: Path) -> Path:
    for name, text in FILES.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(text)
    return directory


def digest(directory: Path, name: str = "block") -> str:
    return CodeDigests().of(f"{name_package(directory)}.{name}", str(directory / f"{name}.py"))


def test_equal_files_have_equal_digests_wherever_they_lie(tmp_path: Path) -> None:
    one, two = digest(write(tmp_path / "one")), digest(write(tmp_path / "two" / "deeper"))
    assert one == two
    assert len(one) == DIGEST_CHARS


@pytest.mark.parametrize("changed", [name for name in FILES if name != "other_block.py"])
def test_a_change_of_any_file_that_the_block_runs_is_another_digest(tmp_path: Path, changed: str) -> None:
    before = digest(write(tmp_path))
    (tmp_path / changed).write_text(FILES[changed] + "# changed\n")
    assert digest(tmp_path) != before


def test_a_change_of_what_the_block_does_not_use_is_none(tmp_path: Path) -> None:
    before = digest(write(tmp_path))
    (tmp_path / "other_block.py").write_text("changed = 1\n")
    (tmp_path / "data.json").write_text("{}")
    assert digest(tmp_path) == before


def test_a_module_of_its_own_among_what_is_installed_is_itself_alone(tmp_path: Path) -> None:
    (tmp_path / "acme_block.py").write_text("import somebody\n")
    (tmp_path / "somebody.py").write_text("")
    before = CodeDigests().of("acme_block", str(tmp_path / "acme_block.py"))
    (tmp_path / "somebody.py").write_text("changed = 1\n")
    assert CodeDigests().of("acme_block", str(tmp_path / "acme_block.py")) == before


def test_an_installed_package_may_import_its_own_by_the_full_name(tmp_path: Path) -> None:
    package = tmp_path / "acme"
    (package / "sub").mkdir(parents=True)
    for name in ("__init__.py", "sub/__init__.py", "helper.py"):
        (package / name).write_text("")
    (package / "sub" / "block.py").write_text("from acme.helper import x\n")

    def of() -> str:
        return CodeDigests().of("acme.sub.block", str(package / "sub" / "block.py"))

    before = of()
    (package / "helper.py").write_text("changed = 1\n")
    assert before != of() != ""


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.unlink(),
        lambda path: path.write_text("def (:"),
        lambda path: path.write_bytes(b"\xff"),
    ],
)
def test_what_can_not_be_read_has_no_digest_and_stops_nothing(
    tmp_path: Path, spoil: Callable[[Path], object]
) -> None:
    write(tmp_path)
    spoil(tmp_path / "block.py")
    assert digest(tmp_path) == ""
    assert CodeDigests().of("acme", None) == ""


def test_each_file_is_read_once_for_all_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path)
    parsed: list[object] = []
    real = ast.parse
    monkeypatch.setattr(code_digest.ast, "parse", lambda text: parsed.append(text) or real(text))
    package = name_package(tmp_path)
    digests = CodeDigests()
    for name in ("block", "other_block", "block"):
        digests.of(f"{package}.{name}", str(tmp_path / f"{name}.py"))
    assert len(parsed) == len(FILES)
