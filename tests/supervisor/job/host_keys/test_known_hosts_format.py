"""The known-hosts format of OpenSSH, as other programs write it."""

import pytest
from host_keys_support import R1, R1_HIGH, R2, some_key
from paramiko.hostkeys import HostKeys  # type: ignore[import-untyped]  # ships no types

from supervisor.job.host_keys.endpoint import Endpoint, endpoint_of, parse_name
from supervisor.job.host_keys.known_hosts_file import line_text, parse
from supervisor.job.host_keys.public_key import public_key_of
from supervisor.job.host_keys.table import Known


def keys_in(text: str, endpoint: Endpoint) -> list[str]:
    return [key.text for key in Known(parse(text)).keys_of(endpoint)]


@pytest.mark.parametrize("endpoint", [R1, R1_HIGH, Endpoint("::1", 22), Endpoint("fe80::1%eth0", 830)])
def test_a_line_that_is_written_is_found_again_for_its_endpoint_alone(endpoint: Endpoint) -> None:
    key = some_key()
    text = line_text(endpoint, key, "first-seen=now")
    assert keys_in(text, endpoint) == [key.text]
    assert keys_in(text, R2) == []
    assert parse(text).lines[0].comment == "first-seen=now"


def test_names_patterns_and_exceptions_count_as_openssh_has_them() -> None:
    a, b, c = some_key(), some_key(), some_key()
    text = (
        f"core1,10.0.0.1 {a.type} {a.text}\n*.lab,!bad.lab {b.type} {b.text}\n"
        f"[10.0.0.*]:2222 {c.type} {c.text} x y\n"
    )
    assert keys_in(text, R1) == [a.text]
    assert keys_in(text, Endpoint("core1", 22)) == [a.text]
    assert keys_in(text, Endpoint("r1.lab", 22)) == [b.text]
    assert keys_in(text, Endpoint("bad.lab", 22)) == []
    assert keys_in(text, R1_HIGH) == [c.text]
    assert keys_in(text, Endpoint("10.0.0.9", 22)) == []


def test_hashed_names_are_found() -> None:
    key, other = some_key(), some_key()
    hashed = [HostKeys.hash_host(endpoint.name) for endpoint in (R1_HIGH, R2)]
    text = f"{hashed[0]} {key.type} {key.text}\n{hashed[1]} {other.type} {other.text}\n"
    assert "10.0.0" not in text
    assert keys_in(text, R1_HIGH) == [key.text]
    assert keys_in(text, R2) == [other.text]
    assert keys_in(text, R1) == []


def test_what_is_no_line_is_counted_and_takes_no_other_along() -> None:
    key = some_key()
    good = line_text(R1, key, "")
    bad = [
        "10.0.0.3",
        "10.0.0.3 ssh-ed25519",
        "10.0.0.3 ssh-ed25519 notBase64!",
        f"10.0.0.3 ssh-rsa {key.text}",  # another type than the key itself has
        f"|1|damaged| {key.type} {key.text}",
    ]
    text = "\n".join(["# a comment", "", *bad, good, f"@revoked * {key.type} {key.text}"])
    parsed = parse(text)
    assert [line.text for line in parsed.lines] == [good]
    assert parsed.damaged == (3, 4, 5, 6, 7)
    assert parsed.unused == (9,)


@pytest.mark.parametrize(
    "host",
    [
        "", " ", "10.0.0.1 x", "10.0.0.1\nevil", "10.0.0.1\rx", "a,b", "*", "r?", "!r1", "|1|a|b", "@revoked", "#r1",
        "x" * 256, "a\x00b", "a\x0bb", None, 7,
    ],
)  # fmt: skip
def test_what_would_mean_something_else_in_a_file_is_no_address(host: object) -> None:
    assert endpoint_of(host) is None


@pytest.mark.parametrize("port", [0, -1, 65536, True, "22", 22.0, None])
def test_what_is_no_port_makes_no_endpoint(port: object) -> None:
    assert endpoint_of("10.0.0.1", port) is None


def test_people_may_write_an_endpoint_with_or_without_a_port() -> None:
    assert parse_name("10.0.0.1") == ("10.0.0.1", None)
    assert parse_name("10.0.0.1:2222") == parse_name("[10.0.0.1]:2222") == ("10.0.0.1", 2222)
    assert parse_name("::1") == parse_name("[::1]") == ("::1", None)
    assert parse_name("[::1]:830") == ("::1", 830)
    assert parse_name("a b") is parse_name("[::1]:99999") is None


def test_a_key_must_be_what_it_is_called_and_has_one_way_to_be_written() -> None:
    key = some_key()
    assert public_key_of("ssh-ed25519", key.text) == key
    assert public_key_of("ssh-rsa", key.text) is None
    assert public_key_of("made-up", key.text) is None
    assert public_key_of("ssh-ed25519", key.text + "\n") is None
    assert public_key_of("ssh-ed25519", "AAAA") is None
    assert key.fingerprint.startswith("SHA256:")
    assert len(key.fingerprint) == 50
