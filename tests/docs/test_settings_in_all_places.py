"""A setting is the same wherever somebody meets it: flag, environment, `.env`, guides, reference, the unit's example,
manual page.

`DaemonSettings` is the one definition. What is wrong here is mended by `make docs`, or by a sentence in a guide.
"""

import itertools
import re
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest
from docs_pages import ROOT, all_pages

from docs.tools.commands_page import render_commands
from docs.tools.environment_example import EXAMPLE_FILE, render_example
from docs.tools.man_page import MAN_FILE
from docs.tools.settings_page import SETTINGS_FILE, render_settings
from supervisor.settings import marks
from supervisor.settings.command_line import parse
from supervisor.settings.groups import SETTING_GROUPS
from supervisor.settings.legacy_environment import LEGACY_NAMES
from supervisor.settings.run_settings import ENV_PREFIX, DaemonSettings

FIELDS = DaemonSettings.model_fields
IN_GROUPS = [name for names in SETTING_GROUPS.values() for name in names]
URL = "http://engine:3030"
DEPLOY = ROOT / "deploy"
EXAMPLE = DEPLOY / EXAMPLE_FILE

OTHER_VALUES = {
    "engine_url": "https://other:3031",
    "function_blocks": "acme.blocks,more.blocks",
    "writable_paths": "/tmp",
    "known_hosts": "/etc/passwd",
    "engine_ca_file": "/etc/passwd",
    "engine_client_certificate": "/etc/passwd",
    "engine_token_file": "/etc/passwd",
    "health_address": "127.0.0.1:9464",
    "max_job_seconds": "300",
    "job_users": "200000-200011",
    "block_slots": "acme/backup=2",
    "log_levels": "netmiko=warning",
    "state_dir": "/srv/state",
    "runtime_dir": "/srv/run",
}
"""A value that is not the default, where one can't be made from the setting's type."""

FLAGS_OF_OTHERS = {"--strict-markers"}
"""Flags of other programs that a guide names in a sentence."""

NEEDS = {
    "engine_client_key": {"engine_client_certificate": "/etc/passwd"},
    "health_token_file": {"health_address": "127.0.0.1:9464"},
}
"""What has to be set besides."""

HAND_WRITTEN = [
    page for page in all_pages() if page.parent.name not in {"reference", "adr"} and "tests" not in page.parts
]
NOT_OURS = {
    "NEOPS_WORKER",  # the mark by which a later start knows the processes of jobs
    *(value for name, value in vars(marks).items() if name.endswith("_VARIABLE")),
}


def flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def other_value(name: str) -> str:
    """Return a value, as somebody would write it, that is not the default."""
    if name in OTHER_VALUES:
        return OTHER_VALUES[name]
    if name in NEEDS:
        return "/etc/hostname"
    field = FIELDS[name]
    kinds = [kind for kind in get_args(field.annotation) if kind is not type(None)] or [field.annotation]
    if get_origin(field.annotation) is Literal:
        return next(str(kind) for kind in kinds if kind != field.default)
    if field.annotation is bool:
        return "true"
    if get_origin(field.annotation) is list:
        return "one,two"
    if kinds[0] in {int, float}:
        return f"{field.default * 2:g}" if field.default else "7"
    return "other"


def by_flags(values: dict[str, str]) -> DaemonSettings:
    words = [
        flag(name) if FIELDS[name].annotation is bool else f"{flag(name)}={value}"
        for name, value in values.items()
    ]
    return parse(DaemonSettings, words, "supervisor")


@pytest.fixture(autouse=True)
def nothing_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Have an empty working directory, and no setting in the environment."""
    monkeypatch.chdir(tmp_path)
    for name in (*LEGACY_NAMES, *(ENV_PREFIX + field.upper() for field in FIELDS), "STATE_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.mark.parametrize("name", FIELDS)
def test_flag_variable_and_file_set_the_same(
    name: str, nothing_set: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = {"engine_url": URL} | NEEDS.get(name, {}) | {name: other_value(name)}
    given = by_flags(values)
    assert getattr(given, name) != getattr(by_flags({"engine_url": "http://default:1"}), name), (
        "no other value"
    )
    lines = {ENV_PREFIX + each.upper(): value for each, value in values.items()}
    (nothing_set / ".env").write_text("".join(f"{key}={value}\n" for key, value in lines.items()))
    assert parse(DaemonSettings, [], "supervisor") == given
    (nothing_set / ".env").unlink()
    for key, value in lines.items():
        monkeypatch.setenv(key, value)
    assert parse(DaemonSettings, [], "supervisor") == given


@pytest.mark.parametrize("old", LEGACY_NAMES)
def test_an_old_name_sets_the_same(old: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name = LEGACY_NAMES[old]
    monkeypatch.setenv(old, other_value(name))
    values = {"engine_url": URL, name: other_value(name)}
    others = {each: value for each, value in values.items() if each != name}
    assert by_flags(others) == by_flags(values)
    assert f"| `{old}` | `{flag(name)}` |" in page("docs/how-to/migrate-from-neops-worker-sdk.md")


def test_the_help_and_the_reference_have_each_setting_and_no_other(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        parse(DaemonSettings, ["--help"], "supervisor")
    helped = set(re.findall(r"^ +(?:-h, )?(--[a-z][\w-]*)", capsys.readouterr().out, flags=re.MULTILINE))
    assert helped - {"--help"} == {flag(name) for name in FIELDS}
    rows = re.findall(
        r"^\| `(--[\w-]+).*?\| `(NEOPS_\w+)`", page(f"docs/reference/{SETTINGS_FILE}"), flags=re.MULTILINE
    )
    assert rows == [(flag(name), ENV_PREFIX + name.upper()) for name in IN_GROUPS]
    assert page(f"docs/reference/{SETTINGS_FILE}") == render_settings(), "run `make docs`"


def test_each_setting_is_in_one_group_and_no_group_has_anything_else() -> None:
    assert sorted(IN_GROUPS) == sorted(FIELDS)


def test_the_help_has_each_flag_below_the_title_of_its_group(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(DaemonSettings, ["--help"], "supervisor")
    text = capsys.readouterr().out
    titles = [*SETTING_GROUPS, "\0"]
    for title, following in itertools.pairwise(titles):
        _, _, below = text.partition(f"\n{title}:\n")
        section = below.partition(f"\n{following}:\n")[0]
        shown = re.findall(r"^  (--[a-z][\w-]*)", section, flags=re.MULTILINE)
        assert sorted(shown) == sorted(map(flag, SETTING_GROUPS[title])), title


@pytest.mark.parametrize("name", FIELDS)
def test_a_guide_tells_of_each_setting(name: str) -> None:
    told = re.compile(rf"{flag(name)}\b(?!-)|{ENV_PREFIX}{name.upper()}\b")
    assert any(told.search(each.read_text(encoding="utf-8")) for each in HAND_WRITTEN), flag(name)


def test_the_example_of_the_unit_is_what_the_settings_say() -> None:
    assert EXAMPLE.read_text(encoding="utf-8") == render_example(), "run `make docs`"


def test_the_manual_page_has_each_setting() -> None:
    manual = (DEPLOY / MAN_FILE).read_text(encoding="utf-8").replace("\\-", "-")
    of_the_daemon = manual[manual.index(".SH FLAGS OF THE DAEMON") :].split("\n.SH ")[0]
    named = {word.replace("--no-", "--", 1) for word in re.findall(r"--[a-z][\w-]*", of_the_daemon)}
    assert {flag(name) for name in FIELDS} - named == set()


def test_the_example_as_it_stands_sets_nothing_and_without_its_comment_signs_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    defaults = by_flags({"engine_url": URL})
    assert assignments(EXAMPLE.read_text(encoding="utf-8")) == {}
    all_given = assignments(EXAMPLE.read_text(encoding="utf-8").replace(f"#{ENV_PREFIX}", ENV_PREFIX))
    assert sorted(all_given) == sorted(ENV_PREFIX + name.upper() for name in FIELDS)
    for key, value in all_given.items():
        monkeypatch.setenv(key, value)
    monkeypatch.setenv("NEOPS_ENGINE_URL", URL)
    assert parse(DaemonSettings, [], "supervisor") == defaults


def test_no_page_unit_or_drop_in_names_a_variable_that_is_no_setting() -> None:
    known = {ENV_PREFIX + name.upper() for name in FIELDS} | NOT_OURS
    strange = {
        f"{path.relative_to(ROOT)}: {word}"
        for path in [
            *all_pages(),
            *DEPLOY.glob("*.service"),
            *DEPLOY.glob("*.conf"),
            *DEPLOY.glob("*.example"),
        ]
        for word in re.findall(r"\bNEOPS_[A-Z_]+\b", path.read_text(encoding="utf-8"))
        if word not in known and not word.endswith("_")
    }
    assert strange == set()


def test_no_guide_names_a_flag_of_ours_that_is_none() -> None:
    """A flag in a sentence. Those of shown commands are held by `test_docs_commands.py`."""
    known = set(re.findall(r"--[a-z][\w-]*", render_commands() + render_settings())) | FLAGS_OF_OTHERS
    known |= {word.replace("--", "--no-", 1) for word in known}
    strange = {
        f"{path.relative_to(ROOT)}: {word}"
        for path in HAND_WRITTEN
        if path.name != "CHANGELOG.md"
        for word in re.findall(r"`(--[a-z][\w-]*)", path.read_text(encoding="utf-8"))
        if word not in known
    }
    assert strange == set()


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def assignments(text: str) -> dict[str, Any]:
    lines = [line for line in text.splitlines() if "=" in line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)
