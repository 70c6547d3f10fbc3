"""Jobs that run as users of their own: what they can't read or signal, and what is left of them (I4, I5)."""

import ctypes
import errno
import json
import os
import stat
from pathlib import Path
from typing import Any

from hosting import TAKES_ITS_STACK, Host, alive_with, is_alive
from job_users_support import USERS

from tests.patience import PATIENCE_SECONDS, wait_until

REFUSED = ("PermissionError",)


def value(done: dict[str, Any]) -> Any:
    assert done["cause"] == "completed", done["message"]
    return json.loads(done["body"])["data"]["value"]


def start_another(host: Host) -> tuple[int, int, int, str]:
    """Start a job that waits. Returns its number, pid, user and directory; what it logs is read from /proc."""
    number = host.start("under_test/waits")
    found: list[tuple[int, int, str]] = []

    def is_there() -> bool:
        for directory in (host.directory / "jobs").iterdir():
            owner = directory.stat().st_uid
            if (directory / "secret").exists():
                pid = next(pid for pid, user in children_of_users(host).items() if user == owner)
                found.append((pid, owner, str(directory)))
        return bool(found)

    wait_until(is_there, seconds=PATIENCE_SECONDS)
    return (number, *found[0])


def children_of_users(host: Host) -> dict[int, int]:
    """Return the host's children that run as job users, with their users: another host here has the same users."""
    found: dict[int, int] = {}
    for path in Path("/proc").glob("[0-9]*/status"):
        try:
            # Processes of other tests have names that are no text.
            lines = path.read_text(errors="replace").splitlines()
            fields = dict(line.split(":", 1) for line in lines if ":" in line)
        except OSError:
            continue
        user = int(fields["Uid"].split()[0])
        if int(fields["PPid"]) == host.pid and USERS[0] <= user <= USERS[1] and is_alive(int(fields["Pid"])):
            found[int(fields["Pid"])] = user
    return found


def test_a_job_can_read_and_signal_neither_the_worker_nor_another_job(host: Host) -> None:
    journal, token = host.directory / "journal.sqlite3", host.directory / "token"
    for path in (journal, token):
        path.write_text("secret")
        path.chmod(0o600)
    number, pid, user, directory = start_another(host)
    paths = [str(journal), str(token), str(host.directory / "jobs"), directory, f"{directory}/secret"]
    seen = value(host.run("under_test/tries", {"text": ",".join([*paths, str(host.pid), str(pid)])}))
    own = seen.pop("own")
    assert {tried: outcome for tried, outcome in seen.items() if outcome not in REFUSED} == {}
    assert len(seen) == len(paths) + 2 * 7
    assert own["uids"][0] != user
    host.ask("stop_all")
    assert host.wait(number)["cause"] == "worker_stopping"


def test_the_worker_s_own_files_are_read_where_jobs_run_as_its_user(
    tmp_path_factory: Any, prefix: Any
) -> None:
    """What the test above would see without users, and without the isolation: it can fail."""
    from hosting import hosted

    directory = tmp_path_factory.mktemp("without")
    with hosted(directory, prefix=prefix, isolation={}) as host:
        (directory / "token").write_text("secret")
        seen = value(host.run("under_test/tries", {"text": str(directory / "token")}))
    assert seen[f"read {directory / 'token'}"].startswith("done")


class TestOneJob:
    """What a job sees of itself. Not after `stop_all`: a host that nobody stops, and one for each test that does."""

    def test_a_job_is_its_user_for_good_and_has_what_is_its_own(self, unstopped_host: Host) -> None:
        own = value(unstopped_host.run("under_test/tries", {"text": ""}))["own"]
        user = own["uids"][0]
        assert USERS[0] <= user <= USERS[1]
        assert own["uids"] == own["gids"] == [user] * 3
        assert own["groups"] == []
        assert {mask.lstrip("0") for mask in own["capabilities"]} == {""}
        assert (own["mode"], own["owner"]) == ("0o700", user)
        assert own["home"] == own["directory"]
        # The kernel makes a process undumpable when its user changes; then it could not look at itself.
        assert own["descriptors"] > 3
        assert own["environ"]
        assert own["program"] == "7"

    def test_others_may_pass_through_the_directory_of_jobs_but_not_list_it(
        self, unstopped_host: Host
    ) -> None:
        unstopped_host.run("under_test/tries", {"text": ""})
        assert stat.S_IMODE((unstopped_host.directory / "jobs").stat().st_mode) == 0o711

    def test_jobs_at_the_same_time_and_one_after_another_have_different_users(self, fresh_host: Host) -> None:
        first, _, user, _ = start_another(fresh_host)
        others = [value(fresh_host.run("under_test/tries", {"text": ""}))["own"]["uids"][0] for _ in range(3)]
        assert len({user, *others}) == 4
        fresh_host.ask("stop_all")
        fresh_host.wait(first)

    def test_a_child_of_another_user_still_dies_with_its_supervisor(self, fresh_host: Host) -> None:
        """A change of the user clears PDEATHSIG. There is no keeper here that would clean up."""
        _, pid, _, _ = start_another(fresh_host)
        fresh_host.kill()
        wait_until(lambda: not is_alive(pid), seconds=PATIENCE_SECONDS)  # it would hang for ten minutes

    def test_the_directory_of_a_job_is_closed_to_its_user_before_another_job_can_have_that(
        self, unstopped_host: Host
    ) -> None:
        seen = unstopped_host.ask("owner_when_the_user_is_given_back", block="under_test/says:1.0.0")
        assert seen["cause"] == "completed"
        assert os.geteuid() in seen["owners"]
        assert seen["user"] not in seen["owners"]

    def test_what_a_job_leaves_outside_of_its_directory_goes_with_it(self, fresh_host: Host) -> None:
        marker = f"litter-{os.getpid()}-{fresh_host.pid}"
        left = value(fresh_host.run("under_test/litters", {"marker": marker}))
        assert alive_with(marker) == []
        assert len(left["paths"]) >= 2
        wait_until(lambda: not any(map(os.path.lexists, left["paths"])))
        wait_until(lambda: not is_shared_memory(left["shared"]))
        wait_until(fresh_host.has_no_job_directory)

    def test_the_kernel_refuses_more_processes_than_a_job_may_have(self, unstopped_host: Host) -> None:
        seen = value(unstopped_host.run("under_test/forks_until_refused", {"mb": 100}))
        assert seen["error"] == errno.EAGAIN
        assert 20 < seen["started"] < 30

    def test_limits_of_memory_and_time_hold_as_well(self, unstopped_host: Host) -> None:
        grown = unstopped_host.run("eat_memory", limits={"max_job_memory_mb": 120})
        assert grown["cause"] == "memory_limit"
        hung = unstopped_host.run("spin", limits={"max_job_seconds": 1.5}, do=TAKES_ITS_STACK)
        assert (hung["cause"], hung["signal"]) == ("time_limit", "SIGKILL")
        assert "line" in hung["stack"]
        assert hung["cpu_seconds"] > 0  # how much of it there was is the machine's affair


def is_shared_memory(number: int) -> bool:
    """Whether a System V shared memory segment exists."""
    buffer = ctypes.create_string_buffer(256)
    return ctypes.CDLL(None).shmctl(number, 2, buffer) == 0
