"""What is found below a directory or a package: whatever lies there, each file is imported, or named with a reason."""

import errno
import importlib.metadata
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from jobrunner.discovery.elsewhere import name_and_needs_of
from jobrunner.discovery.module_choice import Found
from jobrunner.discovery.sources import modules_of
from jobrunner.errors import SourceError
from tests.supervisor.commands.commands_support import BASE, supervisor
from tests.supervisor.commands.local_support import write_block

WRAPS = "from sdk import register_function_block as company_block, FunctionBlock as CompanyBlock\n"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with one block. What looking into it adds to this process's `sys.path` is taken away again."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "place").mkdir()
    write_block(tmp_path / "place" / "greet.py")
    return tmp_path / "place"


def names(found: Found) -> list[str]:
    return [Path(module.file or "").stem for module in found.modules]


def reasons(found: Found) -> dict[str, str]:
    return {Path(module.file or "").stem: reason for module, reason in found.left_out}


def errors(found: Found) -> dict[str, str]:
    return {Path(module.file or "").stem: type(error).__name__ for module, error in found.broken}


def test_what_is_no_text_is_named_and_never_waited_for(place: Path) -> None:
    (place / "empty.py").write_bytes(b"")
    (place / "latin.py").write_bytes(b"text = '\xff'\n")
    (place / "declared.py").write_bytes(b"# -*- coding: latin-1 -*-\ntext = '\xff'\n" + WRAPS.encode())
    (place / "huge.py").write_text(f"{WRAPS}@company_block(None)\nclass A: ...\n#{'x' * 2**20}\n")
    (place / "itself.py").symlink_to("itself.py")
    (place / "gone.py").symlink_to("nowhere.py")
    (place / "folder.py").mkdir()
    (place / "loop").symlink_to(place)
    os.mkfifo(place / "pipe.py")
    found = modules_of(str(place))
    assert names(found) == ["greet"]
    assert errors(found) == {"gone": "FileNotFoundError", "itself": "OSError", "latin": "SyntaxError"}
    assert {name: reason.split(",")[0] for name, reason in reasons(found).items()} == {
        "declared": "it uses the SDK",
        "empty": "it is empty",
        "huge": "it is larger than 1024 KiB",
        "pipe": "it is not a regular file",
    }


def test_a_file_that_can_t_be_read_or_parsed_is_a_problem_of_the_catalogue_with_its_place(
    place: Path,
) -> None:
    (place / "itself.py").symlink_to("itself.py")
    (place / "broken.py").write_text("x = 1\ndef broken(:\n")
    done = supervisor("blocks", "--json", "--function-blocks", str(place))
    problems = {Path(each["file"]).stem: each for each in json.loads(done.stdout)["problems"]}
    assert done.returncode == 1
    assert (problems["broken"]["line"], problems["broken"]["kind"]) == (2, "error")
    assert "SyntaxError: " in problems["broken"]["message"]
    assert "Too many levels of symbolic links" in problems["itself"]["message"]


@pytest.mark.parametrize("flags", [{}, {"import_all": True}], ids=["chosen", "all"])
@pytest.mark.parametrize("old_has_blocks", [True, False])
def test_a_package_goes_before_a_file_of_its_name_as_in_python_and_the_file_is_named(
    place: Path, old_has_blocks: bool, flags: dict[str, bool]
) -> None:
    (place / "vlan").mkdir()
    write_block(place / "vlan" / "__init__.py")
    write_block(place / "vlan.py") if old_has_blocks else (place / "vlan.py").write_text("SITE = 1\n")
    found = modules_of(str(place), **flags)
    assert names(found) == ["greet", "__init__"]
    assert reasons(found) == {
        "vlan": "the directory vlan/ beside it is a package of the same name, which Python imports in its place"
    }


def test_a_helper_that_a_block_imports_is_not_called_left_out(place: Path) -> None:
    write_block(place / "greet.py", "helper.WORD", imports="from parts import helper")
    (place / "parts").mkdir()
    (place / "parts" / "helper.py").write_text("WORD = 'hello'\n")
    (place / "parts" / "script.py").write_text("raise AssertionError('run')\n")
    shown = json.loads(supervisor("blocks", "--json", "--function-blocks", str(place)).stdout)
    assert [Path(each["file"]).name for each in shown["left_out"]] == ["script.py"]


def test_what_is_loaded_only_by_its_name_is_not_called_left_out() -> None:
    shown = json.loads(supervisor("blocks", "--json").stdout)
    assert shown["problems"] == []
    assert not [
        each for each in shown["left_out"] if "/testing/" in each["file"] or "python_eval" in each["file"]
    ]


def test_a_directory_whose_tree_is_a_package_is_followed_by_its_full_names(place: Path) -> None:
    (place / "__init__.py").write_text("")
    (place / "blocks").mkdir()
    (place / "blocks" / "__init__.py").write_text("")
    (place / "company.py").write_text(WRAPS)
    (place / "blocks" / "echo.py").write_text(
        "from place.company import company_block\n@company_block(0)\nclass A: ..."
    )
    (place / "blocks" / "script.py").write_text("from place import company\n")
    assert names(modules_of(str(place / "blocks"))) == ["__init__", "echo"]


def installed(packages: Path, name: str, requires: str, text: str) -> None:
    """Install a package with one module, as far as an import and its metadata go."""
    (packages / name).mkdir(parents=True)
    (packages / name / "__init__.py").write_text(text)
    metadata = packages / f"{name}-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{requires}")
    (metadata / "RECORD").write_text(f"{name}/__init__.py,,\n")


def listed(place: Path, packages: Path) -> Any:
    path = ":".join((str(packages), *sys.path))
    return json.loads(supervisor("blocks", "--json", "--function-blocks", str(place), PYTHONPATH=path).stdout)


@pytest.mark.parametrize("required", ["neops-supervisor", "neops_worker_sdk>=0.2", "acme-lower"])
def test_a_decorator_of_an_installed_package_that_requires_the_sdk_is_followed(
    place: Path, required: str
) -> None:
    packages = place.parent / "site-packages"
    installed(packages, "acme_lower", "Requires-Dist: neops-supervisor (>=0.1)\n", WRAPS)
    upper = "from acme_lower import company_block, CompanyBlock\n" if required == "acme-lower" else WRAPS
    installed(packages, "acme_upper", f"Requires-Dist: {required}\n", upper)
    text = (place / "greet.py").read_text()
    text = text.replace("@register_function_block", "@company_block").replace(
        "(FunctionBlock[", "(CompanyBlock["
    )
    (place / "greet.py").write_text(f"from acme_upper import *\n{text}")
    (place / "script.py").write_text("from acme_upper import company_block\nraise AssertionError('run')\n")
    shown = listed(place, packages)
    assert [block["id"] for block in shown["blocks"]] == ["acme/greet:1.0.0"]
    assert shown["problems"] == []


def test_what_every_installed_distribution_requires_is_read_as_the_library_reads_it(tmp_path: Path) -> None:
    installed(tmp_path, "acme_odd", "REQUIRES-DIST: Neops_Supervisor[all]>=1 ; extra == 'x'\n\nText\n", "")
    egg = tmp_path / "acme_old-1.0.egg-info"
    egg.mkdir()
    (egg / "PKG-INFO").write_text("Metadata-Version: 1.2\nName: acme-old\nVersion: 1.0\n")
    (egg / "requires.txt").write_text("neops-supervisor>=0.1\n\n[extra]\nacme-odd\n")
    found = list(importlib.metadata.distributions(path=[str(tmp_path), *sys.path]))
    assert len(found) > 10
    for distribution in found:
        needs = [re.split(r"[^\w.-]", each)[0] for each in distribution.requires or ()]
        assert name_and_needs_of(distribution) == (distribution.metadata["Name"], needs)


def test_distributions_without_a_name_are_passed_over(place: Path) -> None:
    packages = place.parent / "site-packages"
    for half_removed, file in (("acme-1.0.dist-info", "METADATA"), ("acme_egg-1.0.egg-info", "PKG-INFO")):
        (packages / half_removed).mkdir(parents=True)
        (packages / half_removed / file).write_text("Metadata-Version: 2.1\nVersion: 1.0\n")
    shown = listed(place, packages)
    assert (len(shown["blocks"]), shown["problems"]) == (1, [])


@pytest.mark.parametrize(
    "requires", ["", "\nIt works with a line such as\nRequires-Dist: neops-supervisor\n"]
)
def test_a_decorator_of_any_other_installed_package_is_not_followed_and_the_reason_names_it(
    place: Path, requires: str
) -> None:
    packages = place.parent / "site-packages"
    installed(packages, "acme_other", requires, WRAPS)
    (place / "wrapped.py").write_text(
        "import sdk\nfrom acme_other import company_block\n@company_block(0)\nclass A: ...\n"
    )
    (left_out,) = listed(place, packages)["left_out"]
    assert (
        "company_block, which decorates A, comes from the installed package acme_other" in left_out["reason"]
    )


def test_modules_of_a_named_package_are_judged_and_its_compiled_ones_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "acme_package"
    (package / "below").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "company.py").write_text(WRAPS)
    (package / "below" / "__init__.py").write_text("from ..company import company_block\n")
    (package / "below" / "echo.py").write_text("from . import company_block as c\n@c(0)\nclass A: ...\n")
    (package / "__main__.py").write_text("raise AssertionError('run')\n")
    (package / "compiled.abi3.so").write_bytes(b"")
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    found = modules_of("acme_package")
    assert [module.name for module in found.modules] == [
        "acme_package",
        "acme_package.below.echo",
        "acme_package.compiled",
    ]
    assert set(reasons(found)) == {"__main__", "company"}


def test_blocks_that_misbehave_on_purpose_are_found_only_where_their_package_is_named() -> None:
    everything = modules_of("blocks", import_all=True)
    assert not [module.name for module in everything.modules if module.name.startswith("blocks.testing")]
    assert "echo" in names(everything)
    named = [module.name for module in modules_of("blocks.testing", import_all=True).modules]
    assert named[0] == "blocks.testing"
    assert len(named) > 5
    assert all(name.startswith("blocks.testing") for name in named)


def test_no_blocks_are_looked_for_among_tests_environments_and_hidden_files(place: Path) -> None:
    skipped = ["tests", "test", "testing", "site-packages", "node_modules", "__pycache__", ".hidden"]
    for folder in (*(place / name / "inner" for name in skipped), place / "deeper"):
        folder.mkdir(parents=True)
    for name in skipped:
        write_block(place / name / "inner" / f"in_{name.strip('._').replace('-', '_')}.py")
    for name in ("conftest.py", "test_greet.py", ".hidden.py"):
        write_block(place / name)
    write_block(place / "deeper" / "welcome.py")
    found = modules_of(str(place), import_all=True)
    assert names(found) == ["welcome", "greet"]
    # A directory that is named itself is looked into, whatever it is called.
    assert names(modules_of(str(place / "tests"), import_all=True)) == ["in_tests"]
    assert names(modules_of(str(place / "greet.py"))) == ["greet"]


def test_a_link_that_leads_in_a_circle_is_a_problem_of_that_source_in_words(tmp_path: Path) -> None:
    (tmp_path / "blocks").symlink_to("blocks")
    with pytest.raises(
        SourceError, match=r"can't be looked at: .*; mend it, or name another place"
    ) as refused:
        modules_of(str(tmp_path / "blocks"))
    assert refused.value.source == str(tmp_path / "blocks")
    with pytest.raises(SourceError, match="does not exist"):
        modules_of(str(tmp_path / "nowhere"))
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SourceError, match="is neither a directory nor a file"):
        modules_of(str(tmp_path / "pipe"))


NO_UTF8 = b"\xff".decode(errors="surrogateescape")


def test_a_module_whose_path_is_no_utf8_is_named_and_harms_no_other(place: Path) -> None:
    (place / f"script{NO_UTF8}.py").write_text("pass\n")
    below = place / f"below{NO_UTF8}"
    below.mkdir()
    for file in (place / f"block{NO_UTF8}.py", below / "deep.py"):
        write_block(file)
    found = modules_of(str(place))
    assert names(found) == ["greet"]
    assert errors(found) == dict.fromkeys((f"block{NO_UTF8}", "deep"), "UnreadableNameError")
    assert list(reasons(found)) == [f"script{NO_UTF8}"]
    assert errors(modules_of(str(below))) == {"deep": "UnreadableNameError"}
    assert errors(modules_of(str(below / "deep.py"))) == {"deep": "UnreadableNameError"}


def test_a_module_with_a_dot_in_a_name_is_named_with_what_to_do_and_harms_no_other(place: Path) -> None:
    (place / "site.v2").mkdir()
    (place / "script.old.py").write_text("pass\n")
    for file in ("greet.v2.py", "site.v2/vlans.py", "site.v2/__init__.py"):
        write_block(place / file)
    found = modules_of(str(place))
    assert names(found) == ["greet"]
    assert errors(found) == dict.fromkeys(("greet.v2", "vlans", "__init__"), "DottedNameError")
    assert list(reasons(found)) == ["script.old"]
    assert errors(modules_of(str(place / "greet.v2.py"))) == {"greet.v2": "DottedNameError"}
    # A directory that is named itself is none of Python's.
    assert names(modules_of(str(place / "site.v2"))) == ["__init__", "vlans"]
    done = supervisor("check", str(place))
    assert "greet.v2.py: error [import] its file, or a folder, has a dot in its name" in done.stdout
    assert "1 block(s)" in done.stdout


def test_a_worker_with_such_a_module_and_one_that_raises_such_a_text_has_the_other_blocks(
    place: Path,
) -> None:
    write_block(place / f"block{NO_UTF8}.py")
    (place / "raises.py").write_text(BASE + "raise RuntimeError('\\udcff')\n")
    done = supervisor("blocks", "--json", "--function-blocks", str(place))
    shown = json.loads(done.stdout)
    assert [block["id"] for block in shown["blocks"]] == ["acme/greet:1.0.0"], done.stderr
    assert {Path(problem["file"]).name: problem["message"] for problem in shown["problems"]} == {
        r"block\udcff.py": "its path is no UTF-8; rename it",
        "raises.py": r"RuntimeError: \udcff",
    }
    whole = place.with_name(f"whole{NO_UTF8}")
    place.rename(whole)
    done = supervisor("blocks", "--function-blocks", str(whole))
    assert done.returncode == 1
    assert r"whole\udcff/greet.py: its path is no UTF-8; rename it" in done.stderr


@pytest.mark.parametrize("look", ["is_dir", "exists"])
def test_what_can_not_be_looked_at_keeps_no_other_block_from_being_found(
    place: Path, monkeypatch: pytest.MonkeyPatch, look: str
) -> None:
    """A directory that may be listed and not entered; a network disk that is gone."""
    (place / "closed").mkdir()
    write_block(place / "closed" / "other.py")
    real = getattr(Path, look)

    def refused(path: Path) -> bool:
        if path.name in ("other.py", "__init__.py"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return bool(real(path))

    monkeypatch.setattr(Path, look, refused)
    assert "greet" in names(modules_of(str(place)))
