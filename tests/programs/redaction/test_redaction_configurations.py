"""Secrets that devices show in their configurations are masked by their statements; what is said of them is not."""

import pytest

from jobrunner.protocol.masking import AT_ONCE_UNITS, Effort, Mask
from jobrunner.protocol.masking.configurations import in_configurations

MASKED = [
    ("username admin password 7 0822455D0A16", "username admin password 7 ***"),
    ("username x privilege 15 role network-admin secret sha512 $6$abc", None),
    ("username x privilege 15 secret 9 $9$abc", "username x privilege 15 secret 9 ***"),
    (" secret 10 $6$abc", " secret 10 ***"),
    ("snmp-server community publicXY RO", "snmp-server community *** RO"),
    ("snmp-server community shanghai RO", "snmp-server community *** RO"),
    ("snmp-server host 192.0.2.9 version 2c publicXY", "snmp-server host 192.0.2.9 version 2c ***"),
    ("snmp-server host 192.0.2.9 vrf mgmt traps publicXY", "snmp-server host 192.0.2.9 vrf mgmt traps ***"),
    (
        "snmp-server user bob all v3 auth sha Auth1 priv aes 128 Priv1",
        "snmp-server user bob all v3 auth sha *** priv aes 128 ***",
    ),
    ("tacacs-server key T4cacsK3y", "tacacs-server key ***"),
    ("tacacs-server host 192.0.2.3 key 7 08224F", "tacacs-server host 192.0.2.3 key 7 ***"),
    ("radius-server host 192.0.2.4 auth-port 1812 key s3cr3t", None),
    (" key 7 0822455D0A16", " key 7 ***"),
    ("neighbor 10.0.0.1 password bgpPassw0rd", "neighbor 10.0.0.1 password ***"),
    ("edge1(config)#enable secret Sup3rSecret", "edge1(config)#enable secret ***"),
    ("enable password level 7 abcd", "enable password level 7 ***"),
    ("crypto isakmp key MyPsk address 192.0.2.1", "crypto isakmp key *** address 192.0.2.1"),
    (" pre-shared-key local MyPsk", " pre-shared-key local ***"),
    (" ip ospf authentication-key ospfK", " ip ospf authentication-key ***"),
    (" ip ospf message-digest-key 1 md5 7 13061E01", " ip ospf message-digest-key 1 md5 7 ***"),
    (" ntp authentication-key 1 md5 NtpK 7", " ntp authentication-key 1 md5 *** 7"),
    (" key-string 7 0822455D", " key-string 7 ***"),
    (" password cisco", " password ***"),
    ("+ password cisco", "+ password ***"),
    ('set system root-authentication encrypted-password "$6$abc"', None),
    ("set snmp community commX authorization read-only", "set snmp community *** authorization read-only"),
    ('set security ike policy p pre-shared-key ascii-text "abc123"', None),
    ("'hostname r1\\nenable secret abc\\nend'", "'hostname r1\\nenable secret ***\\nend'"),
    ("Line 2, 'enable secret abc', was refused", "Line 2, 'enable secret ***', was refused"),
    ("a\nusername x password y1\nb", "a\nusername x password ***\nb"),
    ("monkey 7 eats\n key 7 0822455D0A16", "monkey 7 eats\n key 7 ***"),
    ("it has the password of r1\n password abcdefgh1", "it has the password of r1\n password ***"),
    (" isis password clear Is1sPw", " isis password clear ***"),
    (" area-password md5 Ar3aPw", " area-password md5 ***"),
    (" domain-password clear D0mPw authenticate", " domain-password clear *** authenticate"),
    ("ntp authentication-key 1 sha1 7 08701E1D5D4C", "ntp authentication-key 1 sha1 7 ***"),
    ("ntp authentication-key 1 hmac-sha2-256 NtpK", "ntp authentication-key 1 hmac-sha2-256 ***"),
    ("ntp authentication-key 1 md5 encrypted 0822455D", "ntp authentication-key 1 md5 encrypted ***"),
    (" ip ospf message-digest-key 1 sha512 7 13061E01", " ip ospf message-digest-key 1 sha512 7 ***"),
    (
        "snmp-server user bob network-admin auth md5 0x1f2e3d4c priv 0x5b6a7988 localizedkey",
        "snmp-server user bob network-admin auth md5 *** priv *** localizedkey",
    ),
    ("enable algorithm-type scrypt secret Cl3arText", "enable algorithm-type scrypt secret ***"),
    (" authentication mode hmac-sha-256 7 0822455D", " authentication mode hmac-sha-256 7 ***"),
    (
        " ipv6 ospf6 authentication key-id 10 hash-algo md5 key Osp6K",
        " ipv6 ospf6 authentication key-id 10 hash-algo md5 key ***",
    ),
    (" ip rip authentication string R1pK", " ip rip authentication string ***"),
    (" ip nhrp authentication NhrpK", " ip nhrp authentication ***"),
]
SHOWN = [
    "You must enable password authentication on the device.",
    "the password for admin was refused; the key 7 of 9",
    "password required",
    "enable secret is missing",
    "no password given, key exchange failed",
    "snmp-server host 192.0.2.9 version 3 priv bob",
    "neighbor 10.0.0.1 remote-as 65001",
    "user 5 has no key 3",
    "monkey 7 0822455D",
    " key-string <removed>",
    " authentication mode hmac-sha-256",
    " ip ospf authentication message-digest",
    "ntp authentication-key is missing",
]


@pytest.mark.parametrize(("text", "expected"), MASKED)
def test_what_a_device_shows_is_masked_by_its_statement(text: str, expected: str | None) -> None:
    masked = Mask()(text)
    if expected is not None:
        assert masked == expected
    else:  # the secret is the last word, quoted or not
        value = text.split()[-1].strip('"')
        assert value not in masked
        assert masked.startswith(text[: text.index(value)])
    assert Mask()(masked) == masked


@pytest.mark.parametrize("text", SHOWN)
def test_what_is_said_of_secrets_is_shown(text: str) -> None:
    assert Mask()(text) == text


@pytest.mark.parametrize(
    "piece", ["username ", "snmp-server user a ", "radius-server a b ", "key ", "neighbor a ", "priv "]
)
def test_the_work_grows_with_the_length_of_a_text_alone(piece: str) -> None:
    def used(times: int) -> int:
        effort = Effort(1000 * AT_ONCE_UNITS)
        list(in_configurations(piece * times, effort))
        return effort.used

    assert used(4000) <= 4.1 * used(1000)
