"""The version: declared in pyproject.toml, and never said differently elsewhere."""

import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

from supervisor.journal.schema import SCHEMA_VERSION

ROOT = Path(__file__).parents[2]
WRITTEN_BY = ROOT / "tests" / "supervisor" / "journal" / "state_directories" / "README.md"
HEADING = re.compile(r"## \[(?P<version>\d+\.\d+\.\d+)\] - (?P<date>Unreleased|\d{4}-\d{2}-\d{2})")


def declared_version() -> str:
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"])


@pytest.fixture
def entries() -> list[re.Match[str]]:
    """The changelog's entries, newest first."""
    lines = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").splitlines()
    headings = {line: HEADING.fullmatch(line) for line in lines if line.startswith("## ")}
    assert [line for line, entry in headings.items() if entry is None] == []
    return [entry for entry in headings.values() if entry]


def test_the_top_entry_of_the_changelog_is_the_declared_version(entries: list[re.Match[str]]) -> None:
    assert entries[0]["version"] == declared_version()


def test_changelog_entries_descend_and_only_the_top_one_is_unreleased(entries: list[re.Match[str]]) -> None:
    versions = [tuple(map(int, entry["version"].split("."))) for entry in entries]
    assert versions == sorted(set(versions), reverse=True)
    assert "Unreleased" not in [entry["date"] for entry in entries[1:]]


def test_an_installed_project_is_the_declared_version() -> None:
    try:
        installed = metadata.version("neops-supervisor")
    except metadata.PackageNotFoundError:
        pytest.skip("neops-supervisor is not installed here, only on the path")
    assert installed == declared_version()


def test_the_changelog_says_whether_the_last_release_can_read_what_this_version_writes() -> None:
    """Who rolls back by it either loses the journal for nothing, or has a service that stays down."""
    entry = re.split(r"^## \[", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), flags=re.MULTILINE)[1]
    rows = re.findall(
        r"^\| `schema_\d+` \| (\d+) \| (\d+\.\d+\.\d+) \|$", WRITTEN_BY.read_text(), re.MULTILINE
    )
    newest, release = max((int(schema), version) for schema, version in rows)
    says = f"The schema of the journal stays that of {release}"
    assert (says in entry) == (newest == SCHEMA_VERSION)
    assert (f"{release} refuses the journal" in entry) == (newest < SCHEMA_VERSION)
