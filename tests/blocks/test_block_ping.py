"""neops_base/ping, with the real program where there is one."""

import asyncio
import os
from pathlib import Path

import pytest
from blocks_support import run_block, running_with
from pydantic import ValidationError

from blocks.ping import Ping, PingParams
from blocks.ping_output import failure_text, parse_statistics
from tests.patience import until

needs_ping = pytest.mark.needs("ping")

IPUTILS = """PING 192.0.2.1 (192.0.2.1) 56(84) bytes of data.

--- 192.0.2.1 ping statistics ---
4 packets transmitted, 3 received, 25% packet loss, time 3004ms
rtt min/avg/max/mdev = 0.032/0.048/1.250/0.010 ms
"""
BUSYBOX = """
--- 192.0.2.1 ping statistics ---
3 packets transmitted, 3 packets received, 0% packet loss
round-trip min/avg/max = 0.067/0.094/0.122 ms
"""
UNREACHABLE = "2 packets transmitted, 0 received, +2 errors, 100% packet loss, time 1022ms\n"


def put_on_path(directory: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Make a program named ping of this shell script the only one that the worker finds."""
    program = directory / "ping"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(directory))


@needs_ping
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_host_that_answers_is_a_success_with_its_times(host: str) -> None:
    result = await run_block(Ping(), PingParams(host=host, count=2))
    assert result.success, result.message
    assert (result.data.sent, result.data.received, result.data.loss_percent) == (2, 2, 0)
    assert 0 < result.data.rtt_min_ms <= result.data.rtt_avg_ms <= result.data.rtt_max_ms


@needs_ping
async def test_a_name_that_does_not_exist_is_a_failure_that_says_so() -> None:
    result = await run_block(Ping(), PingParams(host="no-such-host.invalid", count=1))
    assert not result.success
    assert "Ping of no-such-host.invalid could not be carried out" in result.message


@needs_ping
async def test_cancellation_kills_the_program_and_waits_for_its_end() -> None:
    high, middle, low = os.getpid().to_bytes(3)
    address = (
        f"127.{100 + high}.{middle}.{low}"  # on the loopback like any 127/8, and on no other command line
    )
    job = asyncio.create_task(run_block(Ping(), PingParams(host=address, count=20, interval_seconds=5)))
    await until(lambda: running_with(address) != [])
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    assert running_with(address) == []


async def test_no_answer_at_all_is_a_failure_with_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_on_path(tmp_path, monkeypatch, f"echo '{UNREACHABLE}'; exit 1")
    result = await run_block(Ping(), PingParams(host="192.0.2.1"))
    assert (result.success, result.data.reachable, result.data.loss_percent) == (False, False, 100)
    assert result.data.rtt_avg_ms is None


async def test_some_lost_packets_are_a_success_with_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_on_path(tmp_path, monkeypatch, f"echo '{IPUTILS}'")
    result = await run_block(Ping(), PingParams(host="192.0.2.1"))
    assert (result.success, result.data.reachable, result.data.loss_percent) == (True, True, 25)


async def test_a_missing_program_names_the_package_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    result = await run_block(Ping(), PingParams(host="192.0.2.1"))
    assert (result.success, result.retryable) == (False, False)
    assert "iputils-ping" in result.message


@pytest.mark.parametrize(
    "complaint",
    [
        "ping: socktype: SOCK_RAW\nping: socket: Operation not permitted\nping: => missing cap_net_raw+p",
        "ping: permission denied (are you root?)",
    ],
)
async def test_a_missing_permission_names_the_kernel_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, complaint: str
) -> None:
    put_on_path(tmp_path, monkeypatch, f"echo '{complaint}' >&2; exit 2")
    result = await run_block(Ping(), PingParams(host="192.0.2.1"))
    assert (result.success, result.retryable) == (False, False)
    assert "net.ipv4.ping_group_range" in result.message


async def test_the_program_is_asked_in_english_and_without_a_shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_on_path(tmp_path, monkeypatch, f'echo "$LC_ALL:$*" > {tmp_path}/asked; exit 2')
    await run_block(Ping(), PingParams(host="192.0.2.1", count=4, timeout_seconds=1.5))
    assert (tmp_path / "asked").read_text() == "C:-n -q -c 4 -i 0.2 -W 1.5 -- 192.0.2.1\n"


@pytest.mark.parametrize(
    "host", ["192.0.2.1", "2001:db8::1", "fe80::1%eth0", "r1", "r1.example.net.", "a_b.local"]
)
def test_addresses_and_names_are_accepted(host: str) -> None:
    assert PingParams(host=host).host == host


@pytest.mark.parametrize(
    "host", ["-f", "--flood", "a b", "a;b", "$(id)", "a..b", "", "x" * 254, "a/24", "a.-b"]
)
def test_what_could_be_an_option_or_is_no_name_is_refused_without_being_repeated(host: str) -> None:
    with pytest.raises(ValidationError) as caught:
        PingParams(host=host)
    (error,) = caught.value.errors(include_input=False)
    assert error["msg"].endswith("must be an IP address or a host name (letters, digits, hyphens and dots)")


@pytest.mark.parametrize(
    "limits", [{"count": 0}, {"count": 21}, {"interval_seconds": 0.01}, {"timeout_seconds": 0}]
)
def test_a_flood_can_not_be_asked_for(limits: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        PingParams.model_validate({"host": "192.0.2.1", **limits})


@pytest.mark.parametrize(
    ("output", "counts", "times"),
    [
        (IPUTILS, (4, 3, 25), (0.032, 0.048, 1.25)),
        (BUSYBOX, (3, 3, 0), (0.067, 0.094, 0.122)),
        (UNREACHABLE, (2, 0, 100), (None, None, None)),
    ],
)
def test_the_summaries_of_iputils_and_busybox_are_understood(
    output: str, counts: tuple[int, int, float], times: tuple[float | None, ...]
) -> None:
    parsed = parse_statistics(output)
    assert parsed is not None
    assert (parsed["sent"], parsed["received"], parsed["loss_percent"]) == counts
    assert (parsed["rtt_min_ms"], parsed["rtt_avg_ms"], parsed["rtt_max_ms"]) == times


def test_duplicate_answers_are_no_negative_loss() -> None:
    parsed = parse_statistics("1 packets transmitted, 2 received, +1 duplicates, -100% packet loss")
    assert parsed is not None
    assert parsed["loss_percent"] == 0


def test_a_silent_end_and_a_timeout_have_words_too() -> None:
    assert "said nothing" in failure_text("", timed_out=False)[0]
    text, retryable = failure_text("ping: setuid: Operation not permitted", timed_out=False)
    assert "SystemCallFilter=" in text, "it is not the kernel's range of groups"
    assert "ping_group_range" not in text
    assert retryable is False
    assert failure_text("", timed_out=True) == (
        "it did not end in time, most likely because no name server answered.",
        True,
    )
