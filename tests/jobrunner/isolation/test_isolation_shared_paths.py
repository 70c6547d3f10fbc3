"""What changes beside a closed path is noticed by the next job, and a step that fails ends a child before its block."""

import errno
import json
import os
import resource
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from apart import FREE, Place, in_a_fork, needs_abi, run_apart, shared, spawned, tried

from jobrunner.isolation import call_filter, landlock, opened_paths
from jobrunner.isolation import child as child_module
from jobrunner.isolation.child import ForkedIsolation, SpawnedIsolation
from jobrunner.isolation.errors import IsolationError
from jobrunner.isolation.shared_paths import SharedPaths, with_ends_of_links
from jobrunner.protocol.isolation import FileRules, Isolation

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning"),
    pytest.mark.skipif(bool(needs_abi(1)), reason=needs_abi(1)),
]

OK, DENIED = "ok", "EACCES"
ANSWER = FREE + 5
MakePaths = Callable[[Isolation], SharedPaths]


@pytest.fixture
def shared_paths() -> Iterator[MakePaths]:
    """Make what a template holds until its end. Here it is closed: these are hundreds of descriptors."""
    made: list[SharedPaths] = []

    def make(isolation: Isolation) -> SharedPaths:
        made.append(SharedPaths(isolation))
        return made[-1]

    yield make
    for paths in made:
        if paths._opened is not None:
            paths._opened.close()


def replace_by_another(path: Path) -> None:
    (path.parent / "new").write_text("another")
    (path.parent / "new").rename(path)


@pytest.mark.parametrize("when", ["before the fork", "while the spare waits"])
def test_a_file_beside_a_closed_path_that_was_replaced_is_read_by_the_next_job(
    tmp_path: Path, shared_paths: MakePaths, when: str
) -> None:
    """Such as `/etc/resolv.conf`, where the token is below `/etc`: without it no name could be resolved."""
    place = Place(tmp_path)
    beside = place.above / "resolv.conf"
    beside.write_text("one")
    paths = shared_paths(Isolation(landlock_abi=1, files=place.files))
    paths.open()
    if when == "before the fork":
        replace_by_another(beside)
        paths.open()

    def work() -> list[str]:
        os.chdir(place.own)
        child = ForkedIsolation(paths)
        child.prepare(FREE)
        if when != "before the fork":
            replace_by_another(beside)
        child.forbid_escape()
        os.closerange(3, FREE)
        child.close_files(os.getcwd())
        left = [name for name in os.listdir("/proc/self/fd") if int(name) > 3]
        return [tried(beside.read_text), tried(place.token.read_text), *left]

    assert in_a_fork_with_result(work, tmp_path) == [OK, DENIED]


def in_a_fork_with_result(work: Callable[[], Any], directory: Path) -> Any:
    """As `in_a_fork`, for work that closes what the answer would go over."""
    answer = os.open(directory / "answer", os.O_RDWR | os.O_CREAT)
    os.dup2(answer, ANSWER)
    os.close(answer)

    def keeping_it() -> None:
        done = work()
        if str(ANSWER) in done:
            done.remove(str(ANSWER))
        os.write(ANSWER, json.dumps(done).encode())
        os._exit(0)

    pid = os.fork()
    if pid == 0:
        try:
            keeping_it()
        finally:
            os._exit(1)
    _, status = os.waitpid(pid, 0)
    os.close(ANSWER)
    assert status == 0
    return json.loads((directory / "answer").read_text())


def test_what_a_link_leads_to_now_is_closed_with_it_and_no_link_opens_what_is_closed(
    tmp_path: Path, shared_paths: MakePaths
) -> None:
    for name in ("one", "two", "state"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "token").write_text("secret")
    link, data, blocks = tmp_path / "token", tmp_path / "data", tmp_path / "blocks"
    data.symlink_to("one")
    link.symlink_to("data/token")
    blocks.symlink_to("state/token")
    files = FileRules(closed=(str(link), str(tmp_path / "state")), read_only=(str(blocks),))
    own = tmp_path / "own"
    own.mkdir()
    paths = shared_paths(Isolation(landlock_abi=1, files=files))

    def reads() -> list[str]:
        def work() -> list[str]:
            return [tried((tmp_path / name / "token").read_text) for name in ("one", "two", "state")]

        return run_apart(lambda: ForkedIsolation(paths), own, work)[1]

    paths.open()
    assert reads() == [DENIED, OK, DENIED]
    data.unlink()
    data.symlink_to("two")
    paths.open()
    assert reads() == [OK, DENIED, DENIED]
    ends = with_ends_of_links(files)
    assert ends.closed == (str(link), str(tmp_path / "state"), str(tmp_path / "two/token"))
    assert ends.read_only == (str(blocks),)


def failing(number: int) -> Callable[..., Any]:
    def fail(*_: Any, **__: Any) -> Any:
        raise OSError(number, os.strerror(number))

    return fail


class Kernel:
    """Refuses one system call, and passes on the others."""

    def __init__(self, number: int, error: int) -> None:
        self._number, self._error, self._libc = number, error, landlock._libc

    def syscall(self, number: int, *arguments: Any) -> int:
        if number == self._number:
            landlock.ctypes.set_errno(self._error)
            return -1
        return int(self._libc.syscall(number, *arguments))


@pytest.mark.parametrize("make", [shared, spawned])
@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (444, errno.ENOSYS, "a set of rules: landlock_create_ruleset: Function not implemented"),
        (444, errno.EMFILE, "a set of rules: landlock_create_ruleset: Too many open files"),
        (445, errno.ENOMEM, "a rule for "),
        (446, errno.E2BIG, "a set of rules: landlock_restrict_self: Argument list too long"),
        (446, errno.EPERM, "a set of rules: landlock_restrict_self: Operation not permitted"),
    ],
)
def test_no_block_runs_where_landlock_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Any, call: int, error: int, says: str
) -> None:
    place = Place(tmp_path)

    def work() -> str:
        isolation = make(Isolation(landlock_abi=1, files=place.files, contain_signals=False))
        landlock._libc = Kernel(call, error)  # type: ignore[assignment]  # of this fork only
        return what_ends_it(isolation, place)

    assert says in in_a_fork(work)


def what_ends_it(isolation: Any, place: Place) -> str:
    os.chdir(place.own)
    try:
        isolation.prepare(FREE)
        isolation.forbid_escape()
        isolation.close_files(os.getcwd())
    except IsolationError as error:
        return str(error)
    return "it runs"


@pytest.mark.parametrize("make", [shared, spawned])
@pytest.mark.parametrize("error", [errno.EMFILE, errno.ENFILE, errno.ENOMEM])
def test_no_block_runs_where_a_path_that_stays_open_can_not_be_opened(
    tmp_path: Path, make: Any, error: int
) -> None:
    place = Place(tmp_path)
    isolation = Isolation(landlock_abi=1, files=place.files, contain_signals=False)

    def work() -> str:
        opened_paths.os = Refusing(error)  # type: ignore[assignment]  # of this fork only
        return what_ends_it(make(isolation), place)

    assert f"which stays open: {os.strerror(error)}" in in_a_fork(work)


class Refusing:
    """The module `os`, but that nothing can be opened."""

    def __init__(self, error: int) -> None:
        self.open = failing(error)

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)


class RefusingOne:
    """The module `os`, but that one path can't be opened, or not with these flags."""

    def __init__(self, path: Path, flags: int, error: int) -> None:
        self._path, self._flags, self._error = str(path), flags, error

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    def open(self, path: str, how: int) -> int:
        if path == self._path and how & self._flags == self._flags:
            raise OSError(self._error, os.strerror(self._error))
        return os.open(path, how)


@pytest.mark.parametrize("make", [shared, spawned])
@pytest.mark.parametrize("error", [errno.ENODEV, errno.EHOSTDOWN, errno.ETIMEDOUT, errno.EIO])
@pytest.mark.parametrize(("flags", "inside"), [(0, DENIED), (os.O_DIRECTORY, OK)])
def test_what_can_not_be_opened_without_a_shortage_is_open_to_less_and_the_block_runs(
    tmp_path: Path, make: Any, error: int, flags: int, inside: str
) -> None:
    """Such as a file system that is mounted on demand, whose server is away: who opens it hears so."""
    place = Place(tmp_path)
    away = place.other_open
    (away / "file").write_text("something")
    isolation = Isolation(landlock_abi=1, files=place.files, contain_signals=False)

    def work() -> list[str]:
        opened_paths.os = RefusingOne(away, flags, error)  # type: ignore[assignment]  # of this fork only
        said = what_ends_it(make(isolation), place)
        read = [tried(path.read_text) for path in (place.file, place.token, away / "file")]
        return [said, *read, tried((place.open / "new").touch), tried((away / "new").touch)]

    assert in_a_fork(work) == ["it runs", OK, DENIED, inside, OK, DENIED]


def test_a_template_that_lacked_a_descriptor_opens_the_paths_for_the_next_child(
    tmp_path: Path, shared_paths: MakePaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Place(tmp_path)
    paths = shared_paths(Isolation(landlock_abi=1, files=place.files))
    with monkeypatch.context() as patched:
        patched.setattr(opened_paths, "os", Refusing(errno.EMFILE))
        paths.open()
        with pytest.raises(IsolationError, match="Too many open files"):
            paths.make_ruleset()
    paths.open()
    os.close(paths.make_ruleset())


def test_what_the_kernel_is_told_of_the_paths_is_made_once_for_all_children(
    tmp_path: Path, shared_paths: MakePaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = shared_paths(Isolation(landlock_abi=1, files=Place(tmp_path).files))
    paths.open()
    monkeypatch.setattr(opened_paths, "rule_beneath", None)
    for _ in range(2):
        os.close(paths.make_ruleset())


@pytest.mark.parametrize("error", [errno.ENOMEM, errno.EINVAL, errno.EPERM])
def test_no_block_runs_where_the_filter_of_calls_is_refused(tmp_path: Path, error: int) -> None:
    place = Place(tmp_path)

    def work() -> str:
        call_filter.install = failing(error)  # of this fork only
        return what_ends_it(SpawnedIsolation(Isolation(seccomp=True)), place)

    assert f"a filter of system calls (seccomp): {os.strerror(error)}" in in_a_fork(work)


def test_a_session_keyring_that_is_refused_ends_nothing(tmp_path: Path) -> None:
    place = Place(tmp_path)

    def work() -> str:
        child_module.leave_session_keyring = lambda: False  # of this fork only
        return what_ends_it(SpawnedIsolation(Isolation(new_session_keyring=True)), place)

    assert in_a_fork(work) == "it runs"


@pytest.mark.parametrize("left", [-100, 0, 2, 10])
def test_with_too_few_descriptors_for_all_paths_and_a_child_the_paths_are_opened_one_after_the_other(
    tmp_path: Path, left: int
) -> None:
    place = Place(tmp_path)
    beside = [place.above / f"beside-{number}" for number in range(200)]
    for path in beside:
        path.write_text("beside")
    isolation = Isolation(landlock_abi=1, files=place.files)

    def work() -> list[str]:
        os.chdir(place.own)
        os.closerange(3, FREE)
        SharedPaths(isolation).open()
        used = max(number for name in os.listdir("/proc/self/fd") if (number := int(name)) < FREE)
        os.closerange(3, FREE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (used + left, used + left))
        paths = SharedPaths(isolation)
        paths.open()
        child = ForkedIsolation(paths)
        child.prepare(90)
        child.forbid_escape()
        child.close_files(os.getcwd())
        return [tried(beside[0].read_text), tried(beside[-1].read_text), tried(place.token.read_text)]

    assert in_a_fork_with_result(work, tmp_path) == [OK, OK, DENIED]


@pytest.mark.parametrize("lacks", ["the template", "the child"])
def test_where_a_change_can_not_be_looked_at_now_the_older_paths_are_used_and_close_more(
    tmp_path: Path, shared_paths: MakePaths, lacks: str
) -> None:
    place = Place(tmp_path)
    paths = shared_paths(Isolation(landlock_abi=1, files=place.files))
    paths.open()

    def work() -> list[str]:
        os.chdir(place.own)
        (place.above / "late").write_text("late")
        if lacks == "the template":
            opened_paths.os = Refusing(errno.EMFILE)  # type: ignore[assignment]  # of this fork only
            paths.open()
        child = ForkedIsolation(paths)
        child.prepare(FREE)
        child.forbid_escape()
        opened_paths.os = Refusing(errno.EMFILE)  # type: ignore[assignment]
        child.close_files(os.getcwd())
        return [tried(path.read_text) for path in (place.file, place.token, place.above / "late")]

    assert in_a_fork(work) == [OK, DENIED, DENIED]


def test_nothing_of_a_path_is_asked_for_that_a_server_which_is_gone_would_have_to_answer(
    tmp_path: Path, shared_paths: MakePaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What only opens for a name, and no `stat`, is answered without it (NFS): all else would hang with that mount."""
    place = Place(tmp_path)
    (place.above / "link").symlink_to(place.token)
    flags: list[int] = []

    class Watched:
        def __getattr__(self, name: str) -> Any:
            assert "stat" not in name
            return getattr(os, name)

        def open(self, path: str, how: int) -> int:
            flags.append(how)
            return os.open(path, how)

    monkeypatch.setattr(opened_paths, "os", Watched())
    paths = shared_paths(Isolation(landlock_abi=1, files=place.files))
    paths.open()
    os.close(paths.make_ruleset())
    assert flags
    assert all(how & os.O_PATH and how & os.O_NOFOLLOW for how in flags)


@pytest.mark.parametrize("make", [shared, spawned])
@pytest.mark.parametrize("leads_to", ["/", "state", "sibling"])
def test_a_link_in_the_place_of_a_job_s_directory_opens_nothing(
    tmp_path: Path, make: Any, leads_to: str
) -> None:
    """In the fall-back below /dev/shm a job of the same user can put one there, before the next job enters."""
    place = Place(tmp_path)
    target = {"/": Path("/"), "state": place.state, "sibling": place.sibling}[leads_to]
    link = place.open / "1-1"
    link.symlink_to(target)

    def work() -> str:
        isolation = make(Isolation(landlock_abi=1, files=place.files, contain_signals=False))
        os.chdir(link)
        isolation.prepare(FREE)
        isolation.forbid_escape()
        try:
            isolation.close_files(str(link))
        except IsolationError as error:
            return str(error)
        return "it runs"

    assert f"it leads to {target}" in in_a_fork(work)


def test_a_job_s_directory_that_was_removed_opens_nothing(tmp_path: Path) -> None:
    place = Place(tmp_path)

    def work() -> list[str]:
        isolation = shared(Isolation(landlock_abi=1, files=place.files))
        os.chdir(place.own)
        place.own.rmdir()
        isolation.prepare(FREE)
        isolation.forbid_escape()
        isolation.close_files(str(place.own))
        return [tried(place.token.read_text), tried(place.secret.read_text)]

    assert in_a_fork(work) == [DENIED, DENIED]
