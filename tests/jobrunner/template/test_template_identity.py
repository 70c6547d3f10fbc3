"""What a child has of its own, and what it does not have of template and supervisor."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hosting import Host, alive_with, hosted, is_alive

from jobrunner.isolation.landlock import abi_of_the_kernel
from tests.patience import wait_until

ALLOWED = {"PATH", "LANG", "LANGUAGE", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR"}
OF_THE_CHILD = {"HOME", "TMPDIR", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"}


def value(done: dict[str, Any]) -> Any:
    assert done["cause"] == "completed", done["message"]
    return json.loads(done["body"])["data"]["value"]


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a block sees below a supervisor that has secrets in its environment."""
    secret = {
        "NEOPS_ENGINE_TOKEN": "t0ps3cret",
        "HTTPS_PROXY": "http://proxy",
        "SHOWN": "1",
        "LC_ALL": "C.UTF-8",
    }
    with hosted(tmp_path_factory.mktemp("identity"), environment=secret, job_env=["SHOWN"]) as host:
        seen: dict[str, Any] = value(host.run("under_test/identity"))
        return seen


def test_argv_is_reset(identity: dict[str, Any]) -> None:
    assert identity["argv"] == ["neops-job"]


def test_the_main_module_is_reset(identity: dict[str, Any]) -> None:
    assert (identity["main_file"], identity["main_names"]) == (None, [])


def test_the_daemon_flag_of_multiprocess_is_reset(identity: dict[str, Any]) -> None:
    assert identity["daemon"] is False


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_block_can_use_multiprocess_itself(host: Host, method: str) -> None:
    assert value(host.run("under_test/uses_multiprocess", {"method": method})) == 5


def test_no_module_of_the_supervisor_is_in_a_child(identity: dict[str, Any]) -> None:
    assert identity["modules"] == []


def test_signals_that_the_template_ignores_have_their_default_action_in_a_child(
    identity: dict[str, Any],
) -> None:
    assert set(identity["signals"].values()) == {"0"}  # SIG_DFL


@pytest.mark.parametrize("place", ["environ", "environment"])
def test_the_environment_holds_what_is_allowed_and_nothing_else(identity: dict[str, Any], place: str) -> None:
    """`environ` is what /proc shows of the process, whatever Python has done to its own copy since."""
    names = set(identity[place])
    assert {"HTTPS_PROXY", "SHOWN", "LC_ALL"} <= names
    others = {name for name in names if not (name.startswith("LC_") or name.upper().endswith("_PROXY"))}
    assert others <= ALLOWED | {"SHOWN"} | (OF_THE_CHILD if place == "environment" else set())
    assert "t0ps3cret" not in str(identity[place])


def test_the_descriptors_of_a_child_are_stdio_its_channel_its_dump_and_until_its_order_its_set_of_rules(
    host: Host,
) -> None:
    links = host.ask("usage_of_spare")["descriptors"]
    kinds = {number: link.partition(":")[0] for number, link in links.items()}
    rules = {"5": "anon_inode"} if abi_of_the_kernel() > 0 else {}
    assert kinds == {"0": "/dev/null", "1": "pipe", "2": "pipe", "3": "socket", "4": "/memfd"} | rules


def test_received_descriptors_are_not_inheritable(host: Host) -> None:
    # 3 is the directory that `ls` itself has open.
    assert value(host.run("under_test/inherited_descriptors")) == [0, 1, 2, 3]


def test_the_end_of_a_job_is_seen_at_once_though_a_daemon_inherited_what_it_could(host: Host) -> None:
    marker = f"inherits-{os.getpid()}"
    done = host.run("under_test/daemon_with_descriptors", {"marker": marker})
    assert (done["cause"], done["exit_code"], done["leftovers"]) == ("exited", 7, 1)
    assert done["seconds"] < 10  # the daemon, and its ends of the job's pipes, would be there for minutes
    assert alive_with(marker) == []


def test_a_spare_has_little_memory_of_its_own(host: Host) -> None:
    assert host.ask("usage_of_spare")["uss_mb"] <= 10


def test_a_garbage_collection_in_a_child_copies_next_to_nothing_of_the_template(host: Host) -> None:
    before, after = value(host.run("under_test/own_memory"))
    assert after - before <= 1.5


def test_the_peak_memory_of_a_job_is_what_it_has_taken_itself_and_nothing_of_the_template(
    host: Host,
) -> None:
    """A template has some 50 MB. What is taken and freed at once, no sample shows."""
    nothing = host.run("slow", {"seconds": 0})["peak_memory_mb"]
    much = host.run("eat_memory", {"mb": 40, "mb_per_second": 1e6, "hold_seconds": 0})["peak_memory_mb"]
    assert nothing < 20
    assert 40 < much < 60


ATEXIT = """
import atexit, os
import process_blocks
atexit.register(lambda: open(os.path.join(os.path.dirname(__file__), f"ran-{os.getpid()}"), "w").close())
"""


def test_children_end_without_the_exit_handlers_of_the_template(tmp_path: Path) -> None:
    sources = tmp_path / "sources"
    sources.mkdir()
    (sources / "handlers.py").write_text(ATEXIT)
    blocks = str(Path(__file__).parents[2] / "hosting" / "blocks_under_test")
    with hosted(tmp_path, sources=["blocks.testing", blocks, str(sources / "handlers.py")]) as host:
        assert host.problems == []
        for name in ("slow", "sys_exit", "raise_error"):
            host.run(name, {"seconds": 0} if name == "slow" else {})
        template = host.ask("processes")["template"]
        assert host.end() == 0
    wait_until(lambda: not is_alive(template))
    assert list(sources.glob("ran-*")) == []
