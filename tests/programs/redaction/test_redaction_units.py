"""Every search counts its work: how many units a text takes is written down, so one that forgets to count shows."""

from typing import Final

import pytest

from jobrunner.protocol.masking import Effort, Mask

CHARS: Final = 600
UNITS: Final = {
    "plain": (109653, 150283),
    "escapes": (550762, 1166635),
    "escapes in escapes": (565263, 950878),
    "lines": (55712, 105152),
    "long lines": (314983, 478973),
    "wrapped": (246386, 382851),
    "quoted": (619893, 899503),
    "bytes": (152167, 351961),
    "abbreviations": (38104, 93070),
    "keys": (6631, 25446),
    "keys of lists": (7308, 26279),
    "keys with values": (10945, 43284),
    "addresses": (9982, 28823),
    "base64": (88691, 96174),
    "digits": (35751, 67457),
    "configuration": (4989, 94558),
    "found": (5358, 47995),
}
"""Of a text, and of one that was cut at both ends. A search that is changed on purpose changes these, too."""
TEXTS: Final = {
    "plain": "A" * CHARS,
    "escapes": ("A" * 10 + "\\x41%41&#65;'\"'\"'\r\n ") * 20,
    "escapes in escapes": "\\\\u0041%2541&amp;#65;'\\''\n" * 24,
    "lines": "A\n" * (CHARS // 2),
    "long lines": ("A" * 70 + "\n") * 9,
    "wrapped": ("A" * 64 + "\n") * 7 + "A" * 40 + "001\n",
    "quoted": ("'" + "A" * 70 + '\'\n "AAAAAAA"\n') * 7,
    "bytes": repr(("ÄÖ" * 40).encode()) + "\n" + "'\\xc3\\x84\\xc3\\x96'\n" * 15,
    "abbreviations": "AAAAAA..." * 66,
    "keys": "password=" * 66,
    "keys of lists": "secret_x=[1," * 50,
    "keys with values": "password='AAAAAA', token=hunter2 " * 18,
    "addresses": "://A:A@" * 85,
    "base64": "QUFB" * (CHARS // 4),
    "digits": ("41:" * 40 + "zz ") * 5,
    "configuration": "username a password hunter\n key 7 0822455D\n" * 14,
    "found": "it is hunter-2-hunter, AAAAAA000 and AAAAAA001. " * 12,
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_takes_as_many_units_as_are_written_down(name: str) -> None:
    mask = Mask(["hunter-2-hunter", "pin7"])
    for number in range(20):
        mask.learn("A" * (6 + number % 16 * 30) + f"{number:03}")
    mask.learn("ÄÖ" * 40)
    used: list[int] = []
    for is_cut in (False, True):
        effort = Effort(10**9)
        mask(TEXTS[name], cut_before=is_cut, cut_after=is_cut, effort=effort)
        used.append(effort.used)
    assert tuple(used) == UNITS[name]
