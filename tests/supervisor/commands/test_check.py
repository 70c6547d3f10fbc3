"""`supervisor check`: each finding once where it is due, with its line, and never where it is not."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from commands_support import BASE, supervisor
from local_support import write_block

from jobrunner.protocol.catalogue import BlockEntry, Catalogue, ImportProblem
from supervisor.commands.check.all_checks import SOURCE_CHECKS, findings_of, source_files
from supervisor.commands.check.declarations import DECLARED_CHECKS
from supervisor.commands.check.source import parse_module
from tests.patience import PATIENCE_SECONDS

HEAD = """\
from typing import Annotated, Any, ClassVar, Final
from pydantic import Field, SecretStr
from sdk import *
class Params(FunctionBlockParams):
    {params}
class Data(FunctionBlockResultData): ...
@register_function_block(Registration(name="x", package="acme", description="d", run_on="global", fb_type="none",
    param_cls=Params, result_cls=Data{registration}))
class Block(FunctionBlock[Params, Data]):
    {body}
"""
RUN = "async def run(self, params, context): ..."
ROLLBACK = "async def rollback(self, params, context, result_from_failed=None): ..."


def found_in(*, params: str = "pass", body: str = RUN, registration: str = "") -> list[tuple[str, str, int]]:
    """Code, level and line of what the checks of the source find."""
    text = HEAD.format(params=params, body=body.replace("\n", "\n    "), registration=registration)
    module = parse_module("block.py", text)
    findings = [finding for check in SOURCE_CHECKS for finding in check(module)]
    return [(finding.code, str(finding.level), finding.line) for finding in findings]


PARAMS_LINE, CLASS_LINE, BODY_LINE = 5, 9, 10


@pytest.mark.parametrize(
    ("given", "finding"),
    [
        ({"params": "password: str"}, ("unmarked-secret", "warning", PARAMS_LINE)),
        ({"params": "snmp_community: str | None = None"}, ("unmarked-secret", "warning", PARAMS_LINE)),
        ({"params": "port: int = '22'"}, ("default-type", "warning", PARAMS_LINE)),
        ({"params": "name: str = None"}, ("default-type", "warning", PARAMS_LINE)),
        ({"params": "dry: bool = Field('no', description='x')"}, ("default-type", "warning", PARAMS_LINE)),
        (
            {"params": "name: str = Field(description='x', default=5)"},
            ("default-type", "warning", PARAMS_LINE),
        ),
        ({"body": "seen = []\n" + RUN}, ("mutable-default", "warning", BODY_LINE)),
        ({"body": "seen: dict[str, int] = dict()\n" + RUN}, ("mutable-default", "warning", BODY_LINE)),
        ({"body": RUN + "\ndef help(self, seen={}): ..."}, ("mutable-default", "warning", BODY_LINE + 1)),
        ({"body": "def run(self, params, context): ..."}, ("run-not-async", "warning", BODY_LINE)),
        ({"body": RUN + "\ndef acquire(self, params): ..."}, ("acquire-not-async", "warning", BODY_LINE + 1)),
        ({"body": "async def run(self, params): ..."}, ("run-arity", "error", BODY_LINE)),
        ({"body": "async def run(self, a, b, c, d): ..."}, ("run-arity", "error", BODY_LINE)),
        ({"body": "async def run(self, a, b, *, c): ..."}, ("run-arity", "error", BODY_LINE)),
        ({"body": RUN + "\nasync def acquire(self): ..."}, ("acquire-arity", "error", BODY_LINE + 1)),
        ({"registration": ", reversible=True"}, ("missing-rollback", "error", CLASS_LINE)),
        ({"body": RUN + "\n" + ROLLBACK}, ("rollback-unused", "warning", CLASS_LINE)),
    ],
)
def test_what_is_wrong_in_the_source_is_found_at_its_line(
    given: dict[str, str], finding: tuple[str, str, int]
) -> None:
    assert found_in(**given) == [finding]


@pytest.mark.parametrize(
    "arguments", ["params, context, result_from_failed=None", "params, context, result_from_failed", "a, b"]
)
def test_a_rollback_of_the_older_form_is_as_good_as_one_with_a_default(arguments: str) -> None:
    rollback = f"async def rollback(self, {arguments}): ..."
    assert found_in(body=f"{RUN}\n{rollback}", registration=", reversible=True") == []
    one_more = rollback.replace("self, ", "self, job, more, ")
    (finding,) = found_in(body=f"{RUN}\n{one_more}", registration=", reversible=True")
    assert finding == ("rollback-arity", "error", BODY_LINE + 1)


BARE = "class {name}(FunctionBlock[Params, Data]):\n    {body}\n"


def codes(text: str) -> list[tuple[str, int]]:
    """Code and line of what the checks of the source find in a whole module."""
    module = parse_module("block.py", text)
    return [(finding.code, finding.line) for check in SOURCE_CHECKS for finding in check(module)]


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("Params, Data", []),
        ("Other, Data", [("other-models", 8)]),
        ("Params, Other", [("other-models", 8)]),
        ("Base, Data", []),
    ],
)
def test_a_block_that_is_registered_with_other_models_than_it_is_written_for_is_found(
    written: str, found: list[tuple[str, int]]
) -> None:
    text = HEAD.format(params="pass", body=RUN, registration="")
    text = text.replace("FunctionBlock[Params, Data]", f"FunctionBlock[{written}]")
    # What it is registered with may derive from what it is written for.
    text = text.replace("class Params(FunctionBlockParams)", "class Params(Base)")
    text = text.replace("from pydantic import Field", "class Base(FunctionBlockParams): ...#")
    assert codes(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (BARE.format(name="Mine", body=RUN), [("not-registered", 1)]),
        (BARE.format(name="_Mine", body=RUN), []),
        (BARE.format(name="MineBase", body=RUN), []),
        (BARE.format(name="Mine", body="pass"), []),
        (BARE.format(name="Mine", body="@abstractmethod\n    " + RUN), []),
        ("@registered\n" + BARE.format(name="Mine", body=RUN), []),
        (BARE.format(name="Mine", body=RUN) + "register_function_block(REGISTRATION)(Mine)", []),
        (BARE.format(name="Mine", body=RUN) + "@registered\nclass Other(Mine): ...", []),
    ],
)
def test_a_block_without_the_decorator_is_found_and_a_base_of_others_is_not(
    text: str, found: list[tuple[str, int]]
) -> None:
    assert codes(text) == found


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("SyntaxError: bad (x.py, line 2)", "SyntaxError: bad (x.py, line 2)."),
        ("Error: one\n  two.", "Error: one two."),
    ],
)
def test_what_an_import_says_is_one_line_and_ends_before_the_advice(message: str, shown: str) -> None:
    problem = ImportProblem(module="x", file="x.py", line=2, kind="error", message=message, traceback="")
    (finding,) = findings_of(Catalogue(blocks=(), problems=(problem,)), [])
    assert finding.message == shown


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"params": "names: list[str] = Field(default_factory=list)"},
        # pydantic copies these for each object.
        {"params": "names: list[str] = []"},
        {"params": "names: dict[str, str] = Field({}, title='x')"},
        {"params": "names: Any = Field(default=set())"},
        {"params": "known: ClassVar[list[str]] = []"},
        {"params": "pair: tuple[str, ...] = ()"},
        {"params": "password: Annotated[str, SENSITIVE]"},
        {"params": "api_key: SecretStr | None = None"},
        {"params": "has_token: bool = False"},
        {"params": "compass: str"},
        {"params": "seconds: float = 5"},
        {"params": "port: int = True"},
        {"params": "name: str | None = None"},
        {"params": "name: str = Field(...)"},
        {"params": "name: str = Field(description='x')"},
        {"params": "port: int = Field('22', validate_default=True)"},
        {"params": "where: Path = '/tmp'"},
        {"body": "PLATFORMS = {'ios': 1}\n" + RUN},
        {"body": "known: Final = []\n" + RUN},
        {"body": "async def run(self, params, context, meta): ..."},
        {"body": "async def run(self, params, context, *more, **named): ..."},
        {"body": "async def run(self, params, context, meta=None, extra=1): ..."},
        {"body": "@wrapped\ndef run(self): ..."},
        {"body": RUN + "\n" + ROLLBACK, "registration": ", reversible=True"},
        {"body": RUN + "\n" + ROLLBACK, "registration": ", reversible=WANTED"},
        {"body": RUN + "\n" + ROLLBACK, "registration": ", **more"},
    ],
)
def test_what_is_right_is_not_complained_of(given: dict[str, str]) -> None:
    assert found_in(**given) == []


def entry(**changes: Any) -> BlockEntry:
    facts: dict[str, Any] = {
        "id": "acme/x:1.0.0",
        "package": "acme",
        "name": "x",
        "version": (1, 0, 0),
        "description": "does",
        "run_on": "global",
        "fb_type": "none",
        "help_text": "",
        "deprecated": False,
        "is_idempotent": False,
        "is_pure": False,
        "reversible": False,
        "parameter_schema": {"type": "object"},
        "result_schema": {"type": "object"},
        "max_seconds": None,
        "max_memory_mb": None,
        "module": "m",
        "file": "x.py",
        "line": 3,
    }
    return BlockEntry(**facts | changes)


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ({}, []),
        ({"id": "acme/show version:1.0.0"}, ["block-id"]),
        ({"id": "fb.use-cases.acme/show_version:1.0.0"}, ["block-id-hyphen"]),
        ({"help_text": "x" * 255}, []),
        ({"help_text": "x" * 256}, ["help-length"]),
        ({"description": " "}, ["no-description"]),
        ({"parameter_schema": {"type": "array"}}, ["schema"]),
        ({"result_schema": {}}, ["schema"]),
        ({"deprecated": True}, ["deprecated-without-way-out"]),
        ({"deprecated": True, "help_text": "Use acme/y."}, []),
    ],
)
def test_what_the_engine_would_not_take_is_found(changes: dict[str, Any], codes: list[str]) -> None:
    block = entry(**changes)
    assert [finding.code for check in DECLARED_CHECKS for finding in check(block)] == codes


def problem(kind: Any, message: str, file: str | None = "x.py") -> ImportProblem:
    return ImportProblem(module="m", file=file, line=7, kind=kind, message=message, traceback="")


@pytest.mark.parametrize(
    ("given", "code", "level"),
    [
        (problem("error", "ValueError: no"), "import", "error"),
        (problem("error", "RegistrationError: B (a/b:1.0.0): it has no run. Define it."), "registration", "error"),
        (problem("error", "RegistrationError: a/b: reversible but has no rollback."), "missing-rollback", "error"),
        (problem("error", "RegistrationError: a/b: markdown_helptext has 300 characters, the"), "help-length", "error"),
        (problem("error", "No JSON schema can be made of P: no."), "schema", "error"),
        (problem("conflict", "taken"), "duplicate-id", "error"),
        (problem("hang", "hung"), "import-hang", "error"),
        (problem("thread", "started a thread"), "import-thread", "warning"),
        (problem("source", "does not exist", None), "not-found", "error"),
    ],
)  # fmt: skip
def test_what_the_import_has_shown_is_a_finding_of_its_kind(
    given: ImportProblem, code: str, level: str
) -> None:
    (finding,) = findings_of(Catalogue(problems=(given,)), [])
    assert (finding.code, str(finding.level), finding.line) == (code, level, 7)


def test_tests_are_not_read_and_helper_modules_are(tmp_path: Path) -> None:
    for name in ("a.py", "helpers/b.py", "tests/c.py", "test_d.py", "conftest.py", ".hidden/e.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    assert source_files([tmp_path], Catalogue()) == [tmp_path / "a.py", tmp_path / "helpers/b.py"]


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(b"\xef\xbb\xbf%s# \xc3\xbc\n", id="with the mark that editors on Windows put in front"),
        pytest.param(b"# -*- coding: latin-1 -*-\n%s# \xfc\n", id="in another encoding"),
    ],
)
def test_a_file_is_checked_in_the_encoding_that_python_reads_it_in(tmp_path: Path, source: bytes) -> None:
    file = tmp_path / "block.py"
    file.write_bytes(source % HEAD.format(params="password: str", body=RUN, registration="").encode())
    assert [finding.code for finding in findings_of(Catalogue(), [file])] == ["unmarked-secret"]


def shadowing(cwd: Path) -> list[dict[str, Any]]:
    """What `supervisor check folder` finds of names of files."""
    done = supervisor("check", "--json", "folder", cwd=cwd)
    assert done.returncode == 0, done.stderr
    return [each for each in json.loads(done.stdout)["findings"] if each["code"] == "shadows-module"]


def test_a_file_with_the_name_of_another_module_is_warned_of_where_python_would_look_for_it(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "folder"
    for name in ("logging.py", "netmiko.py", "sdk.py", "mine.py", "below/json.py"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("")
    write_block(folder / "block.py")
    found = shadowing(tmp_path)
    assert [each["file"] for each in found] == ["folder/logging.py", "folder/netmiko.py", "folder/sdk.py"]
    assert {each["level"] for each in found} == {"warning"}
    assert "Python's own module 'logging'" in found[0]["message"]
    assert "the installed module 'netmiko'" in found[1]["message"]
    assert "such as netmiko_block.py" in found[1]["advice"]


@pytest.mark.parametrize("interpreter", [("-m",), ("-P", "-m")], ids=["python -m", "as installed"])
def test_a_file_with_the_name_of_a_module_of_pythons_is_warned_of_where_one_stands_too(
    tmp_path: Path, interpreter: tuple[str, ...]
) -> None:
    """Neither the command nor the process that imports the blocks may take it for Python's own."""
    (tmp_path / "logging.py").write_text("raise RuntimeError('somebody imports me')\n")
    write_block(tmp_path / "block.py")
    done = subprocess.run(
        [sys.executable, *interpreter, "supervisor", "check", "--json"],
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if not name.startswith("NEOPS_")},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert "Traceback" not in done.stderr
    found = {(each["file"], each["code"]) for each in json.loads(done.stdout)["findings"]}
    assert ("logging.py", "shadows-module") in found
    assert not {code for file, code in found if file == "block.py"} & {"import", "template"}


def test_modules_of_a_package_may_be_called_as_others_are(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in ("__init__.py", "logging.py"):
        (folder / name).write_text("")
    write_block(folder / "block.py")
    assert shadowing(tmp_path) == []


BAD = HEAD.format(
    params="token: str",
    registration=", reversible=True",
    body="seen = []\n    def run(self, params): ...",
)


def test_a_directory_is_checked_as_a_whole_and_each_finding_has_file_line_and_advice(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text(BAD)
    (tmp_path / "broken.py").write_text(f"x = 1\nimport no_such_module\n{BASE}")
    write_block(tmp_path / "good.py")
    done = supervisor("check", cwd=tmp_path)
    lines = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (1, "")
    assert [line.split("]")[0] for line in lines[:-1]] == [
        "bad.py:5: warning [unmarked-secret",
        "bad.py:9: error [missing-rollback",
        "bad.py:10: warning [mutable-default",
        "bad.py:11: error [run-arity",
        "bad.py:11: warning [run-not-async",
        "broken.py:2: error [import",
        "good.py:13: warning [no-description",
    ]
    assert "Declare it as run(self, params, context)." in lines[3]
    assert lines[-1] == "1 block(s), 3 error(s), 4 warning(s)"


def test_json_has_the_blocks_and_the_findings_and_strict_makes_a_warning_count(tmp_path: Path) -> None:
    write_block(tmp_path / "good.py")
    done = supervisor("check", str(tmp_path / "good.py"), "--json", cwd=tmp_path)
    shown = json.loads(done.stdout)
    assert (done.returncode, shown["blocks"]) == (0, ["acme/greet:1.0.0"])
    assert [(finding["file"], finding["code"]) for finding in shown["findings"]] == [
        ("good.py", "no-description")
    ]
    assert supervisor("check", "--strict", cwd=tmp_path).returncode == 1


def test_no_block_of_an_author_is_imported_by_the_command_itself(tmp_path: Path) -> None:
    (tmp_path / "kills.py").write_text(f"import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n{BASE}")
    write_block(tmp_path / "good.py")
    done = supervisor("check", cwd=tmp_path)
    assert done.returncode == 1
    assert "kills.py" in done.stdout
    assert "[import-crash]" in done.stdout
    assert "1 block(s)" in done.stdout


def test_a_place_without_blocks_and_one_that_is_not_there_are_errors(tmp_path: Path) -> None:
    empty = supervisor("check", cwd=tmp_path)
    assert (empty.returncode, "[no-blocks]" in empty.stdout) == (1, True)
    missing = supervisor("check", "nowhere", cwd=tmp_path)
    assert (missing.returncode, "[not-found]" in missing.stdout) == (1, True)


@pytest.mark.parametrize("flag", [(), ("--function-blocks",)], ids=["as a place", "by the flag"])
def test_a_place_that_can_not_be_reached_is_an_error_with_its_reason(
    tmp_path: Path, flag: tuple[str, ...]
) -> None:
    # Root may enter what is closed to others, so it is a name that no disk takes.
    done = supervisor("check", *flag, "b" * 300 + "/", cwd=tmp_path)
    assert done.returncode == 1
    assert "[not-found] can't be looked at: File name too long" in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize("way", ["../blocks", "link", "link/good.py"])
def test_each_finding_is_told_once_however_the_place_is_named(tmp_path: Path, way: str) -> None:
    (tmp_path / "blocks").mkdir()
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "link").symlink_to(tmp_path / "blocks")
    file = tmp_path / "blocks" / "good.py"
    write_block(file)
    file.write_text(file.read_text().replace("    fails: bool", "    password: str\n    fails: bool"))
    done = supervisor("check", "--json", way, cwd=tmp_path / "here")
    found = [(each["file"], each["code"]) for each in json.loads(done.stdout)["findings"]]
    assert found == [(str(file), "unmarked-secret"), (str(file), "no-description")]


def test_an_environment_below_the_directory_is_not_imported(tmp_path: Path) -> None:
    write_block(tmp_path / "good.py")
    installed = tmp_path / "venv" / "lib" / "python3" / "site-packages"
    installed.mkdir(parents=True)
    (installed / "broken.py").write_text("raise RuntimeError\npassword: str\n")
    done = supervisor("check", cwd=tmp_path)
    assert (done.returncode, "broken" in done.stdout) == (0, False)


def test_what_the_environment_names_is_checked_where_nothing_is_given(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    write_block(tmp_path / "mine" / "good.py")
    (tmp_path / "broken.py").write_text(f"raise RuntimeError\n{BASE}")
    (tmp_path / ".env").write_text("DIR_FUNCTION_BLOCKS=mine\n")
    done = supervisor("check", "--json", cwd=tmp_path)
    assert (done.returncode, json.loads(done.stdout)["blocks"]) == (0, ["acme/greet:1.0.0"])
    assert supervisor("check", ".", cwd=tmp_path).returncode == 1


def test_what_the_sdk_refuses_at_import_is_told_by_its_kind(tmp_path: Path) -> None:
    good = HEAD.format(params="pass", registration="", body=RUN)
    refused = {
        "help-length": good.replace('description="d"', 'description="d", markdown_helptext="x" * 256'),
        "block-id": good.replace('name="x"', 'name="show version"'),
        "block-id-hyphen": good.replace('name="x"', 'name="show-version"'),
        "missing-rollback": good.replace("param_cls", "reversible=bool(1), param_cls"),
        "schema": good.replace("    pass", "    x: type[int] | object = object\n    y: 'NotThere' = None", 1),
        "registration": good.replace('fb_type="none"', 'fb_type="other"'),
        "duplicate-id": "x = 1\n" + good.replace('name="x"', 'name="y"'),
        "first": good.replace('name="x"', 'name="y"'),
    }
    for code, text in refused.items():
        (tmp_path / f"{code.replace('-', '_')}.py").write_text(text)
    done = supervisor("check", "--json", cwd=tmp_path)
    found = {(finding["file"], finding["code"]) for finding in json.loads(done.stdout)["findings"]}
    # Of two blocks with one id the one that is imported first stays.
    files = {code: f"{code.replace('-', '_')}.py" for code in refused} | {"duplicate-id": "first.py"}
    assert found == {(file, code) for code, file in files.items() if code != "first"}


def test_an_import_that_gets_the_module_of_another_directory_of_blocks_is_warned_of(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "helpers.py").write_text("")
        (tmp_path / folder / "same.py").write_text("")
        (tmp_path / folder / "block.py").write_text("import json\n\nfrom helpers import show\n")
    (tmp_path / "two" / "own.py").write_text("")
    (tmp_path / "two" / "other.py").write_text("import own\nfrom . import same\n")
    one, two = tmp_path / "one", tmp_path / "two"
    found = findings_of(Catalogue(), source_files([one, two], Catalogue()), [one, two])
    wanted = [(str(two / "block.py"), 3, "same-module-name")]
    assert [(each.file, each.line, each.code) for each in found] == wanted
    assert f"the helpers in {one}" in found[0].message
    assert findings_of(Catalogue(), source_files([two], Catalogue()), [two]) == []


def test_blocks_that_are_named_with_a_tilde_are_checked_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "logging.py").write_text("")
    write_block(tmp_path / "mine" / "block.py")
    done = supervisor("check", "--json", "--function-blocks=~/mine", cwd=tmp_path)
    assert "shadows-module" in {each["code"] for each in json.loads(done.stdout)["findings"]}
