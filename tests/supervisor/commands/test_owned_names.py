"""Other distributions that have a package of ours are found by what they say they have installed."""

import importlib.metadata
import importlib.util
from pathlib import Path

import pytest

from supervisor.commands.owned_names import OUR_NAMES, owners_of, refuse_foreign_owners
from supervisor.errors import StartRefusedError


def installed(directory: Path, name: str, **listings: str) -> None:
    """Install what has these lists of files: a wheel's, or those of an egg."""
    info = (
        directory
        / f"{name}-1.0.{'egg-info' if 'installed' in listings or 'sources' in listings else 'dist-info'}"
    )
    info.mkdir(parents=True)
    (info / ("PKG-INFO" if info.suffix == ".egg-info" else "METADATA")).write_text(
        f"Name: {name}\nVersion: 1.0\n"
    )
    files = {
        "record": "RECORD",
        "installed": "installed-files.txt",
        "sources": "SOURCES.txt",
        "top": "top_level.txt",
    }
    for kind, text in listings.items():
        (info / files[kind]).write_text(text)


def test_the_owners_are_those_that_the_standard_library_finds_for_every_name_of_this_environment() -> None:
    expected = {
        name: set(owners)
        for name, owners in importlib.metadata.packages_distributions().items()
        if importlib.util.find_spec(name)  # a file LICENSE beside the packages is one of these names, too
    }
    found = owners_of(expected, importlib.metadata.distributions())
    assert {name: set(owners) for name, owners in found.items()} == expected


@pytest.mark.parametrize(
    "listings",
    [
        {"record": "sdk/__init__.py,sha256=x,1\nsdk-1.0.dist-info/RECORD,,\n"},
        {"record": "other.py,,\nsdk.py,sha256=x,1\n"},
        {"top": "other\nsdk\n"},
        {"installed": "../sdk/__init__.py\nPKG-INFO\n"},
        {"sources": "setup.py\nsdk/__init__.py\n"},
    ],
)
def test_one_that_has_a_package_of_ours_is_found(tmp_path: Path, listings: dict[str, str]) -> None:
    installed(tmp_path, "stranger", **listings)
    owners = owners_of(OUR_NAMES, importlib.metadata.distributions(path=[str(tmp_path)]))
    assert owners == {"sdk": ["stranger"]}
    with pytest.raises(StartRefusedError, match="'sdk' also belongs to stranger"):
        refuse_foreign_owners(owners)


@pytest.mark.parametrize(
    "listings",
    [
        {"record": "stranger/sdk/__init__.py,,\nsdk_of_others/__init__.py,,\nxsdk/a.py,,\nsdk.txt,,\n"},
        {"top": "sdk2\n", "record": "sdk/__init__.py,,\n"},
        {},
    ],
)
def test_one_that_has_only_something_like_it_is_not(tmp_path: Path, listings: dict[str, str]) -> None:
    installed(tmp_path, "stranger", **listings)
    assert owners_of(OUR_NAMES, importlib.metadata.distributions(path=[str(tmp_path)])) == {}


def test_this_worker_may_own_its_names_itself() -> None:
    refuse_foreign_owners({"sdk": ["neops-supervisor"], "requests": ["requests"]})
