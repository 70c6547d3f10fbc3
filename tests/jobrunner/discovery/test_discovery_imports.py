"""One module and its text: what is read of it, what happens when it is imported, and what is said of that."""

import os
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from jobrunner.discovery import module_import
from jobrunner.discovery.elsewhere import Elsewhere
from jobrunner.discovery.marks import is_named_only
from jobrunner.discovery.mentions import words_of_imports, worth_parsing
from jobrunner.discovery.module import Module, module_name, private_package, private_packages
from jobrunner.discovery.module_choice import Candidate, Found, choose
from jobrunner.discovery.module_import import forget_half_imported, import_module, thread_problem
from jobrunner.discovery.source_text import read_text
from jobrunner.discovery.top_level import Text
from jobrunner.protocol.catalogue import ImportProblem
from sdk.errors import DuplicateBlockError


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An author's directory. What it adds to this process is taken away again."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def imported(directory: Path, text: str, name: str = "block") -> ImportProblem | None:
    file = directory / f"{name}.py"
    file.write_text(text)
    return import_module(Module(f"{private_package(directory)}.{name}", str(file)))


def test_a_module_that_loads_is_no_problem_and_writes_nothing_beside_the_author_s_files(
    directory: Path,
) -> None:
    before = sys.dont_write_bytecode
    assert imported(directory, "import sys\nWRITES = not sys.dont_write_bytecode\n") is None
    assert sys.modules[f"{private_package(directory)}.block"].WRITES is False
    assert sys.dont_write_bytecode is before
    assert [path.name for path in directory.iterdir()] == ["block.py"]


@pytest.mark.parametrize(
    ("text", "kind", "line", "said"),
    [
        ("x = 1\nraise ValueError('no')\n", "error", 2, "ValueError: no"),
        ("x = 1\n\nx = 1 / 0\n", "error", 3, "ZeroDivisionError: division by zero"),
        ("import sys\nsys.exit(3)\n", "exit", 2, "called sys.exit(3) while it was imported"),
        ("raise KeyboardInterrupt\n", "error", 1, "KeyboardInterrupt: "),
        ("x = (\n", "error", 1, "SyntaxError"),
    ],
)
def test_whatever_a_module_raises_is_its_problem_with_the_author_s_line(
    directory: Path, text: str, kind: str, line: int, said: str
) -> None:
    before = sys.dont_write_bytecode
    problem = imported(directory, text)
    assert problem is not None
    assert (problem.kind, problem.line, problem.file) == (kind, line, str(directory / "block.py"))
    assert problem.message.startswith(said)
    # The author's frames, and none of the import system's or of ours.
    assert str(directory / "block.py") in problem.traceback
    assert "importlib" not in problem.traceback
    assert "module_import" not in problem.traceback
    assert sys.dont_write_bytecode is before


def test_a_module_that_nobody_finds_says_where_it_must_be(directory: Path) -> None:
    problem = imported(directory, "import no_such_library\n")
    assert problem is not None
    assert problem.message == (
        "ModuleNotFoundError: No module named 'no_such_library'. If it is a library, install it into the worker's "
        f"environment ({sys.prefix}). If it is a file of yours, put it into the directory of blocks."
    )


@pytest.mark.parametrize(
    ("text", "name"), [("from .nowhere import x\n", "nowhere"), ("import json.nowhere\n", "json.nowhere")]
)
def test_a_wrong_name_in_a_package_that_is_there_is_nothing_to_install(
    directory: Path, text: str, name: str
) -> None:
    problem = imported(directory, text)
    assert problem is not None
    assert problem.message == f"ModuleNotFoundError: No module named {name!r}"


def test_a_relative_import_out_of_the_directory_says_what_to_name(directory: Path) -> None:
    problem = imported(directory, "from ..helpers import send\n")
    assert problem is not None
    assert problem.message == (
        "ImportError: attempted relative import beyond top-level package. Relative imports end at the directory of "
        "blocks that is named: name one further up, or import the module by its whole name."
    )


def test_of_two_blocks_with_one_id_the_second_module_has_a_conflict(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def twice(_: str) -> None:
        raise DuplicateBlockError("there is one already", where="lab", advice="Rename it.")

    monkeypatch.setattr(module_import.importlib, "import_module", twice)
    problem = import_module(Module("lab.block", "/opt/lab/block.py"))
    assert problem is not None
    assert (problem.kind, problem.message) == ("conflict", "lab: there is one already. Rename it.")


def test_what_is_raised_in_no_author_s_code_is_of_the_module_as_a_whole(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = import_module(Module("lab_that_is_nowhere", "/opt/lab/block.py"))
    assert problem is not None
    assert (problem.file, problem.line, problem.module) == ("/opt/lab/block.py", None, "lab_that_is_nowhere")
    assert "No module named" in problem.message


def test_blocks_of_a_module_that_failed_further_down_are_forgotten_and_no_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    blocks = {
        "lab/good:1.0.0": SimpleNamespace(module="json", importing="os"),
        "lab/half:1.0.0": SimpleNamespace(module="lab_that_failed", importing="lab_that_failed"),
        "lab/made:1.0.0": SimpleNamespace(module="json", importing="lab_that_failed"),
        "lab/adopted:1.0.0": SimpleNamespace(module="lab_that_failed", importing=None),
        "lab/other:1.0.0": SimpleNamespace(module="os", importing=None),
    }
    monkeypatch.setattr(module_import, "registry", SimpleNamespace(function_blocks=blocks))
    forget_half_imported()
    assert list(blocks) == ["lab/good:1.0.0", "lab/other:1.0.0"]


def test_a_thread_that_runs_after_an_import_is_the_module_s_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    module = Module("lab.block", "/opt/lab/block.py")
    monkeypatch.setattr(module_import.os, "listdir", lambda _: ["1"])
    assert thread_problem(module) is None
    monkeypatch.undo()
    over = threading.Event()
    thread = threading.Thread(target=over.wait)
    thread.start()
    problem = thread_problem(module)
    over.set()
    thread.join()
    assert problem is not None
    assert (problem.kind, problem.file, problem.line) == ("thread", "/opt/lab/block.py", None)
    assert "started a thread while it was imported" in problem.message


MIB = 1024 * 1024


def test_a_text_of_a_mebibyte_is_read_and_a_longer_one_is_not(tmp_path: Path) -> None:
    file = tmp_path / "block.py"
    file.write_bytes(b"x" * MIB)
    assert read_text(file) == b"x" * MIB
    file.write_bytes(b"x" * (MIB + 1))
    assert read_text(file) == "it is larger than 1024 KiB, and is not read"


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.py")
    assert read_text(tmp_path / "pipe.py") == "it is not a regular file"
    assert isinstance(read_text(tmp_path / "gone.py"), FileNotFoundError)
    assert isinstance(read_text(Path("/dev/null")), str)


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("__neops_named_only__ = True\n", True),
        ("x = 1\ny = __neops_named_only__ = True\n", True),
        ("__neops_named_only__ = False\n", False),
        ("__neops_named_only__ = 1\n", False),
        ("other = '__neops_named_only__'\n", False),
        ("if x:\n    __neops_named_only__ = True\n", False),
        ("a.__neops_named_only__ = True\n", False),
        ("__neops_named_only__ = True\nx = (\n", False),
        ("x = True\n", False),
    ],
)
def test_only_what_sets_the_mark_at_its_top_is_marked(text: str, marked: bool) -> None:
    assert is_named_only(text.encode()) is marked


def test_an_author_knows_a_module_by_its_file_and_not_by_our_package(directory: Path) -> None:
    package = private_package(directory)
    assert private_package(directory) == package
    assert package in private_packages()
    assert not [name for name in private_packages() if "." in name]
    assert module_name(f"{package}.switches.core") == "switches.core"
    assert module_name(package) == package
    assert module_name("lab.switches") == "lab.switches"
    assert Module(f"{package}.x", None).is_an_authors
    assert not Module("lab.x", None).is_an_authors


def test_imports_work_from_a_directory_and_from_the_top_of_its_packages_after_everything_else(
    directory: Path,
) -> None:
    inner = directory / "top" / "inner"
    inner.mkdir(parents=True)
    for place in (inner, inner.parent):
        (place / "__init__.py").touch()
    before = len(sys.path)
    private_package(inner)
    assert sys.path[before:] == [str(inner), str(directory)]
    private_package(inner)
    assert len(sys.path) == before + 2


def test_all_that_was_found_is_put_together_in_its_order() -> None:
    one, two, three = (Module(name, None) for name in ("one", "two", "three"))
    error = ValueError()
    found = Found.of([Found((one,), ((two, "why"),)), Found(), Found((three,), (), ((two, error),))])
    assert found == Found((one, three), ((two, "why"),), ((two, error),))


def test_what_is_marked_is_imported_only_where_it_is_named_and_so_is_what_is_below_it(tmp_path: Path) -> None:
    texts = {
        "plain": "import sdk",
        "marked": "__neops_named_only__ = True",
        "folder/__init__": "__neops_named_only__ = True",
        "folder/inner": "import sdk",
        "folderless": "import sdk",
    }
    (tmp_path / "folder").mkdir()
    candidates: list[Candidate] = []
    for name, text in texts.items():
        (tmp_path / f"{name}.py").write_text(text)
        local = name.removesuffix("/__init__").replace("/", ".")
        module = Module(local, str(tmp_path / f"{name}.py"))
        candidates.append(Candidate(local, module, is_package=name.endswith("__init__")))

    def chosen(candidates: list[Candidate]) -> list[str]:
        found = choose(candidates, Elsewhere(tmp_path), import_all=True)
        return [module.name for module in found.modules]

    assert chosen(candidates) == ["plain", "folderless"]
    assert chosen([replace(each, is_named=True) for each in candidates]) == [
        each.local for each in candidates
    ]


def test_of_what_can_not_be_judged_the_reason_is_told(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text("print('runs')\n")
    (tmp_path / "broken.py").write_text("x = (\n")
    os.mkfifo(tmp_path / "pipe.py")
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").write_text("x = 1\n")
    files = {"script": "script.py", "broken": "broken.py", "pipe": "pipe.py", "gone": "gone.py"}
    candidates = [Candidate(name, Module(name, str(tmp_path / file))) for name, file in files.items()]
    package = Module("package", str(tmp_path / "package/__init__.py"))
    candidates.append(Candidate("package", package, is_package=True))
    found = choose(candidates, Elsewhere(tmp_path), import_all=False, parse_all=True)
    assert [module.name for module in found.modules] == ["gone"]  # compiled, or in an archive
    assert [module.name for module, _ in found.left_out] == ["script", "pipe"]
    assert [(module.name, type(error)) for module, error in found.broken] == [("broken", SyntaxError)]
    authors = replace(candidates[3], module=Module("_neops_directory_1.gone", str(tmp_path / "gone.py")))
    ((module, error),) = choose([authors], Elsewhere(tmp_path), import_all=False).broken
    assert isinstance(error, FileNotFoundError)
    assert module is authors.module


def test_there_is_no_text_of_what_would_lie_below_a_module_that_is_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "single_file.py").write_text("x = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    elsewhere = Elsewhere(None, "single_file")
    assert (text := elsewhere.text_of("single_file")) is not None
    assert text.source == b"x = 1\n"
    assert elsewhere.text_of("single_file.below") is None


def test_a_chain_of_imports_is_followed_to_its_beginning_whatever_it_goes_through() -> None:
    chain = {f"step{number}": f"import step{number - 1}" for number in range(1, 6)} | {"step0": "import sdk"}
    given = {name: Text(name, text.encode()) for name, text in (chain | {"else": "import os"}).items()}
    assert worth_parsing(given, {"sdk"}) == set(chain)
    assert worth_parsing(given, set()) == set()
    circle = {"a": Text("a", b"import b"), "b": Text("b", b"import a\nimport sdk")}
    assert worth_parsing(circle, {"sdk"}) == {"a", "b"}


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("import a.b as c\nx = 1", {"import", "a", "b", "as", "c"}),
        ("from a import \\\n  b", {"from", "a", "import", "b"}),
        ("from a import \\\r\n  b", {"from", "a", "import", "b"}),
        ("from . import x", {"from", "import", "x", "lab", "inner"}),
        ("from .. import x", {"from", "import", "x", "lab", "inner", ""}),
        ("from . import x\nfrom . . import y", {"from", "import", "x", "y", "lab", "inner", ""}),
        ("from . import (x,\n  y)", None),
        ("from a import (x)", {"from", "a", "import", "x"}),
        ("import ä", None),
        ("x = 'ä'\nimport a", {"import", "a"}),
    ],
)
def test_the_words_of_imports_say_which_modules_they_may_mean(source: str, words: set[str] | None) -> None:
    assert words_of_imports(Text("lab.inner.block", source.encode())) == words


def test_of_what_pydantic_says_to_those_who_write_types_only_the_first_line_is_shown(directory: Path) -> None:
    text = "from pydantic import BaseModel\nclass P(BaseModel):\n    x: object()\n"
    problem = imported(directory, text)
    assert problem is not None
    assert "Unable to generate pydantic-core schema" in problem.message
    assert "\n" not in problem.message
    other = imported(directory, "raise ValueError('one\\ntwo')\n", "other")
    assert other is not None
    assert other.message == "ValueError: one\ntwo"
