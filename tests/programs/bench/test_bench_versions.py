"""The two versions of a comparison: what is copied, and that each runs its own code."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.programs.bench.against.copies import commit_of, copy_commit, copy_present
from tests.programs.bench.against.versions import Version, set_up
from tests.programs.bench.errors import BenchError
from tests.programs.bench.versions_support import SET_UP, commit, git

NAMES = ("one", "two")


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository that stands for this one."""
    if shutil.which("git") is None:
        pytest.skip("there is no git")
    path = tmp_path / "repository"
    for package in ("supervisor", "sdk"):
        (path / package).mkdir(parents=True)
        (path / package / "__init__.py").write_text(f"NAME = {package!r}\n")
    git(path, "init", "--quiet")
    commit(path, SET_UP)
    monkeypatch.setattr("tests.programs.bench.against.copies.ROOT", path)
    return path


async def copies(repository: Path, directory: Path) -> tuple[Path, Path]:
    """The last commit, and the files as they are."""
    roots = directory / "against", directory / "present"
    await copy_commit(await commit_of("HEAD"), roots[0])
    await copy_present(roots[1])
    return roots


def where_from(version: Version) -> Path:
    """The place of the code that a program of this version runs."""
    python = version.environment / "bin" / "python"
    program = "import supervisor; print(supervisor.__file__)"
    command = [str(python), "-P", "-c", program]
    done = subprocess.run(command, env=version.variables(), check=True, capture_output=True, text=True)
    return Path(done.stdout.strip())


async def test_the_present_version_is_what_lies_there_and_the_other_what_was_committed(
    repository: Path, tmp_path: Path
) -> None:
    (repository / ".gitignore").write_text("ignored\n")
    (repository / "deleted").write_text("")
    commit(repository, SET_UP)
    (repository / "ignored").write_text("")
    (repository / "new").write_text("")
    (repository / "deleted").unlink()
    (repository / "sdk" / "__init__.py").write_text("NAME = 'changed'\n")
    other, present = await copies(repository, tmp_path)
    assert (other / "deleted").exists()
    assert not (other / "new").exists()
    assert (other / "sdk" / "__init__.py").read_text() == "NAME = 'sdk'\n"
    assert (present / "new").exists()
    assert not (present / "deleted").exists()
    assert not (present / "ignored").exists()
    assert (present / "sdk" / "__init__.py").read_text() == "NAME = 'changed'\n"
    assert git(repository, "worktree", "list").count("\n") == 0


async def test_versions_that_ask_for_the_same_share_an_environment_and_run_their_own_code(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    (repository / "sdk" / "__init__.py").write_text("NAME = 'changed'\n")
    roots = await copies(repository, tmp_path)
    versions = await set_up(NAMES, roots, "stable")
    assert versions[0].environment == versions[1].environment
    for version, root in zip(versions, roots, strict=True):
        assert where_from(version).is_relative_to(root)


@pytest.mark.parametrize(
    "changed", ["deploy/bootstrap.sh", "deploy/locks/client-stable.txt", "pyproject.toml"]
)
async def test_versions_that_ask_for_different_packages_have_an_environment_each(
    repository: Path, tmp_path: Path, changed: str
) -> None:
    (repository / "deploy" / "locks").mkdir()
    file = repository / changed
    added = "[project]\nname = 'another'\n" if changed == "pyproject.toml" else "# another\n"
    file.write_text((file.read_text() if file.exists() else "") + added)
    roots = await copies(repository, tmp_path)
    versions = await set_up(NAMES, roots, "stable")
    for version, root in zip(versions, roots, strict=True):
        assert version.environment.is_relative_to(root)
        assert where_from(version).is_relative_to(root)


async def test_settings_of_tools_do_not_make_two_environments(repository: Path, tmp_path: Path) -> None:
    (repository / "pyproject.toml").write_text("[tool.ruff]\nline-length = 110\n")
    versions = await set_up(NAMES, await copies(repository, tmp_path), "stable")
    assert versions[0].environment == versions[1].environment


async def test_an_environment_that_runs_other_code_is_refused(repository: Path, tmp_path: Path) -> None:
    commit(repository, SET_UP.replace("\\${PYTHONPATH:-$root}", "$root"))
    with pytest.raises(BenchError, match=r"The version two would run .*/against/supervisor/.*not its code"):
        await set_up(NAMES, await copies(repository, tmp_path), "stable")


async def test_a_version_without_a_set_up_is_refused(repository: Path, tmp_path: Path) -> None:
    git(repository, "rm", "--quiet", "deploy/bootstrap.sh")
    git(repository, "commit", "--quiet", "--message=none")
    with pytest.raises(BenchError, match=r"one has no deploy/bootstrap\.sh"):
        await set_up(NAMES, await copies(repository, tmp_path), "stable")


@pytest.mark.parametrize("project", [b"<<<<<<< HEAD\n", b"name = '\xff'\n"])
async def test_a_version_whose_project_can_not_be_read_is_refused(
    repository: Path, tmp_path: Path, project: bytes
) -> None:
    (repository / "pyproject.toml").write_bytes(project)
    roots = await copies(repository, tmp_path)
    with pytest.raises(BenchError, match=r"The version two does not build: its pyproject\.toml is no TOML: "):
        await set_up(NAMES, roots, "stable")


async def test_a_version_whose_project_has_no_table_of_tools_is_set_up(
    repository: Path, tmp_path: Path
) -> None:
    (repository / "pyproject.toml").write_text("tool = 3\n")
    versions = await set_up(NAMES, await copies(repository, tmp_path), "stable")
    assert versions[0].environment == versions[1].environment


async def test_a_commit_is_found_by_any_of_its_names(repository: Path) -> None:
    full = git(repository, "rev-parse", "HEAD")
    git(repository, "tag", "v1")
    assert [await commit_of(name) for name in ("HEAD", "v1", full[:8], full)] == [full] * 4


@pytest.mark.parametrize("name", ["no-such-commit", "--help", "HEAD^{tree}", ""])
async def test_what_names_no_commit_is_refused(repository: Path, name: str) -> None:
    with pytest.raises(BenchError, match="There is no commit"):
        await commit_of(name)
