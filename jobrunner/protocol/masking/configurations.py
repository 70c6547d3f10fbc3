"""Finds secrets in configurations of devices, by their statement: `neighbor 192.0.2.1 password 7 0822455D`.

Blocks mostly print what devices show. These secrets belong to no job, so nobody knows their values. The
statements are those of IOS, IOS XE, IOS XR, NX-OS, EOS, FRR and Junos, from their command references.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from jobrunner.protocol.masking.effort import CHARS_PER_UNIT, DECODE_UNITS, Effort
from jobrunner.protocol.masking.prose import is_prose
from jobrunner.protocol.masking.small_letters import in_small_letters
from jobrunner.protocol.masking.views import Range

_LOOK_UNITS: Final = 4
_MOST_BEFORE_CHARS: Final = 120
_BEFORE: Final = re.compile(r"[ \t+-]{0,40}(?:[\w.()/:@-]{1,80}[#>] ?)?(?:set )?")
"""What may come between the beginning of a line and a statement of ordinary words: a prompt, the sign of a diff."""

_VALUE: Final = (
    r"(?:encrypted )?(?:\d{1,2} )?(?:sha\d{0,3} |md5 |scrypt |pbkdf2 )?(?:\\?[\"'])?"
    r"([^\s\"'\\;,<>=:|(\[{][^\s\"'\\;,]{0,1023})"
)
_WITHIN_A_WORD: Final = re.compile(r"(?<!\\)[\w-]\Z|\\[^\Wn]\Z")
"""A line break may be shown as a backslash and an n."""
_NO_VALUE: Final = re.compile(r"\*+|vrf|ipv[46]|version|traps|informs|ro|rw", re.IGNORECASE)

_FORM: Final = r"(?:encrypted )?(?:[0456789]|10) "
"""0 is clear text, everybody can read 7, the others are hashes."""

_OF_A_USER: Final = r"\S{1,64} (?:[\w-]{1,32} ){0,6}(?:password|secret) "
_OF_A_SERVER: Final = r"(?:\S{1,64} ){0,9}?key "
_CLEAR: Final = r"(?:clear )?"
_MAC: Final = r"[hc]mac-[\w-]{1,16} "


@dataclass(frozen=True, slots=True)
class _Statement:
    """`beginning` is in lower case. `rest` is an expression for the text between it and the value."""

    beginning: str
    rest: str
    starts_a_line: bool = False


_STATEMENTS: Final = (
    # With the number of its form after it, such a word is not an ordinary one.
    *(_Statement(f"{word} ", _FORM) for word in ("password", "secret", "key", "md5", "authentication")),
    _Statement("username ", _OF_A_USER, starts_a_line=True),
    _Statement(
        "enable ",
        r"(?:algorithm-type \S{1,16} )?(?:password|secret) (?:level \d{1,2} )?",
        starts_a_line=True,
    ),
    _Statement("password ", "", starts_a_line=True),
    _Statement("key-string ", ""),
    _Statement("area-password ", _CLEAR, starts_a_line=True),
    _Statement("domain-password ", _CLEAR, starts_a_line=True),
    _Statement("snmp-server community ", ""),
    _Statement("snmp community ", "", starts_a_line=True),
    _Statement("snmp-server host ", r"\S{1,64} (?:vrf \S{1,64} )?(?:traps |informs )?(?:version (?:1|2c) )?"),
    _Statement("auth ", r"(?:md5|sha[\w-]{0,8}) "),
    _Statement("priv ", r"(?:(?:3?des|aes)(?:[ -]?\d{3})? |(?=0x))"),
    *(_Statement(f"{word} ", _OF_A_SERVER) for word in ("tacacs-server", "radius-server")),
    _Statement("neighbor ", r"\S{1,64} password "),
    _Statement("isakmp key ", ""),
    _Statement(
        "pre-shared-key ",
        r"(?:(?:local|remote|ascii-text|hexadecimal|hex|key|address \S{1,64}) ){0,3}",
    ),
    _Statement("authentication-key ", rf"(?:\d{{1,5}} )?(?:md5 |sha1 |{_MAC}|type \S{{1,16}} value )?"),
    _Statement("message-digest-key ", r"\d{1,3} (?:md5|sha\d{1,3}) "),
    _Statement("isis password ", _CLEAR),
    _Statement("rip authentication string ", ""),
    _Statement("nhrp authentication ", ""),
    _Statement("authentication mode ", _MAC),
    _Statement("hash-algo ", r"[\w-]{1,16} key "),
    _Statement("ppp chap password ", ""),
    _Statement("encrypted-password ", ""),
    _Statement("wpa-psk ascii ", ""),
)
_COMPILED: Final = tuple(
    (each.beginning, re.compile(each.rest + _VALUE, re.IGNORECASE), each.starts_a_line)
    for each in _STATEMENTS
)


def in_configurations(text: str, effort: Effort) -> Iterator[Range]:
    """Yield the ranges of secrets in statements of a device's configuration, in any order."""
    effort.spend(len(text) // CHARS_PER_UNIT)
    small = in_small_letters(text)
    for beginning, rest, starts_a_line in _COMPILED:
        end = 0
        while (begin := small.find(beginning, end)) >= 0:
            end = begin + len(beginning)
            effort.spend(_LOOK_UNITS)
            if _WITHIN_A_WORD.search(small, max(0, begin - 2), begin):
                continue
            if starts_a_line and not _is_at_the_start(small, begin):
                continue
            effort.spend(DECODE_UNITS)
            match = rest.match(text, end)
            if match and not _NO_VALUE.fullmatch(match[1]) and not is_prose(match[1]):
                yield match.span(1)


def _is_at_the_start(text: str, at: int) -> bool:
    """Whether a line begins here, also in a text that is shown with escapes and in quotation marks."""
    before = text[max(0, at - _MOST_BEFORE_CHARS) : at]
    if at > _MOST_BEFORE_CHARS and not any(sign in before for sign in ("\n", "\\n", "'", '"')):
        return False
    for sign in ("\n", "\\n", "'", '"'):
        before = before.rpartition(sign)[2]
    return _BEFORE.fullmatch(before) is not None
