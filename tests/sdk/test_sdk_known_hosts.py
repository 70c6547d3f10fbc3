"""The host keys that a job knows: which key of a device will do."""

import threading

import pytest

from sdk.known_hosts import Found, HostKeyPolicy, KnownHosts

A, B = ("ssh-ed25519", "AAAA"), ("ssh-ed25519", "BBBB")
RSA = ("ssh-rsa", "CCCC")


def reports_of(
    policy: str = "accept-new", keys: tuple[tuple[str, int, str, str], ...] = ()
) -> tuple[KnownHosts, list[object]]:
    reports: list[object] = []
    return KnownHosts(policy, keys, lambda *report: reports.append(report)), reports


def test_the_first_key_is_accepted_reported_once_and_then_the_only_one() -> None:
    known, reports = reports_of()
    assert [known.check("R1", 22, key) for key in (A, A, B, RSA)] == [
        Found.NEW, Found.KNOWN, Found.CHANGED, Found.CHANGED,
    ]  # fmt: skip
    assert known.check("r1", 2222, B) is Found.NEW
    assert reports == [("r1", 22, *A), ("r1", 2222, *B)]


def test_each_of_several_known_keys_will_do_and_nothing_is_reported() -> None:
    known, reports = reports_of(keys=(("10.0.0.1", 22, *A), ("10.0.0.1", 22, *RSA)))
    assert [known.check("10.0.0.1", 22, key) for key in (A, RSA, B)] == [
        Found.KNOWN,
        Found.KNOWN,
        Found.CHANGED,
    ]
    assert reports == []


def test_under_strict_only_known_keys_will_do() -> None:
    known, reports = reports_of("strict", (("r1", 22, *A),))
    assert [known.check(host, 22, A) for host in ("r1", "r2", "r2")] == [
        Found.KNOWN,
        Found.UNKNOWN,
        Found.UNKNOWN,
    ]
    assert known.check("r1", 22, B) is Found.CHANGED
    assert reports == []


def test_off_checks_and_reports_nothing() -> None:
    known, reports = reports_of("off", (("r1", 22, *A),))
    assert [known.check(host, 22, B) for host in ("r1", "r2")] == [Found.KNOWN, Found.KNOWN]
    assert reports == []


def test_a_block_can_ask_for_a_stricter_policy_and_for_no_looser_one() -> None:
    known, _ = reports_of("accept-new", (("r1", 22, *A),))
    assert known.check("r2", 22, A, asked="strict") is Found.UNKNOWN
    assert known.check("r1", 22, B, asked="off") is Found.CHANGED
    assert HostKeyPolicy("strict").strictest("off") is HostKeyPolicy.STRICT
    with pytest.raises(ValueError, match="never"):
        known.check("r2", 22, A, asked="never")


def test_of_threads_that_see_a_device_first_at_once_one_reports() -> None:
    known, reports = reports_of()
    start = threading.Barrier(8)
    found: list[Found] = []

    def look(number: int) -> None:
        start.wait()
        found.append(known.check("r1", 22, ("ssh-ed25519", str(number))))

    threads = [threading.Thread(target=look, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == sorted([Found.NEW, *[Found.CHANGED] * 7])
    assert len(reports) == 1
