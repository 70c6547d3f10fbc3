"""What a text may take: its work is counted, and what takes too much is not shown rather than shown unmasked."""

import threading
import time
from base64 import b64encode
from typing import Final

import pytest

from jobrunner.protocol.masking import (
    AT_ONCE_UNITS,
    MASK,
    Effort,
    Mask,
    Masked,
    TooMuchWorkError,
    not_shown,
)
from jobrunner.protocol.masking.effort import _BETWEEN_PAUSES_UNITS, DECODE_UNITS
from jobrunner.protocol.masking.needles import Needles
from supervisor.process.long_work import LongWork
from supervisor.watch.fair_mask import FairMask

CHARS: Final = 15_000
HOSTILE: Final = {
    "plain": "A" * CHARS,
    "escapes of all kinds": ("A" * 10 + "\\x41%41&#65;'\"'\"'\r\n ") * 500,
    "escapes in escapes": ("\\\\u0041%2541&amp;#65;'\\''\n" * 900)[:CHARS],
    "lines": "A\n" * (CHARS // 2),
    "long lines": ("A" * 70 + "\n") * 200,
    "abbreviations": "AAAAAA..." * 1700,
    "keys": "password=" * 1700,
    "keys of lists": "secret_x=[1," * 1200,
    "quoted": "password='" * 1600,
    "backslashes": "\\" * CHARS,
    "addresses": "://A:A@" * 2000,
    "base64": "QUFB" * (CHARS // 4),
}


@pytest.fixture(scope="module")
def learned() -> Mask:
    """The mask of a job that has told of as many secrets as it may, all with one beginning."""
    mask = Mask(["hunter-2-hunter"])
    for number in range(200):
        mask.learn("A" * (6 + number % 16 * 60) + f"{number:03}")
    return mask


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.parametrize("cut", [False, True])
def test_all_work_is_counted(learned: Mask, text: str, cut: bool) -> None:
    def used_and_seconds() -> tuple[int, float]:
        effort = Effort(10**9)
        began = time.thread_time()
        learned(text, cut_before=cut, cut_after=cut, effort=effort)
        return effort.used, time.thread_time() - began

    # A unit is 50 to 100 nanoseconds.
    assert any(seconds < 0.005 + used * 400e-9 for used, seconds in (used_and_seconds() for _ in range(5)))


def test_a_look_at_an_edge_counts_two_units_for_each_character_that_is_looked_at() -> None:
    needles = Needles(["x" * 50])
    at_end, after_cut = Effort(10**6), Effort(10**6)
    assert needles.at_end("A" * 200, at_end) is None
    assert at_end.used == 2 * 50
    assert needles.after_cut("A" * 200, after_cut) is None
    # The search in a long one; and a look for each character that half an escape may have.
    assert after_cut.used == 1 + 12 * 2 * 50


def test_others_have_a_turn_each_time_that_so_much_work_was_done_and_not_before() -> None:
    pauses: list[int] = []
    effort = Effort(10 * _BETWEEN_PAUSES_UNITS, lambda: pauses.append(effort.used))
    for _ in range(6):
        effort.spend(_BETWEEN_PAUSES_UNITS // 2)
    assert pauses == [_BETWEEN_PAUSES_UNITS * 3 // 2, _BETWEEN_PAUSES_UNITS * 3]


def test_each_line_that_may_be_a_piece_of_a_secret_counts_as_much_as_a_decoding() -> None:
    needles, short, long = Needles(["x" * 50]), Effort(10**6), Effort(10**6)
    assert list(needles.wrapped("ab cd\n" * 100, short)) == []
    assert list(needles.wrapped("ab cde\n" * 100, long)) == []
    assert long.used - short.used >= 100 * DECODE_UNITS


def test_digits_count_four_units_each() -> None:
    def used(text: str) -> int:
        effort = Effort(10**6)
        Mask(["hunter-2-hunter"])(text, effort=effort)
        return effort.used

    assert used("41:" * 1000) > used("gh:" * 1000) + 4 * 3000 - 100


def test_what_takes_too_much_work_is_not_shown(learned: Mask) -> None:
    text = HOSTILE["escapes of all kinds"] + "hunter-2-hunter"
    assert (
        learned(text)
        == not_shown(text)
        == f"[{len(text)} characters not shown: to search them for secrets takes too long]"
    )
    assert learned.field("note", text) == not_shown(text)
    with pytest.raises(TooMuchWorkError):
        learned(text, effort=Effort())


def test_ordinary_texts_of_any_length_that_a_job_may_log_are_shown() -> None:
    mask = Mask([f"Secret{number}-pass{number * 7919}word" for number in range(30)])
    lines = "interface GigabitEthernet0/1, up\n  description to core-1\n" * 300
    for text in (lines, repr(lines), lines.replace("\n", " ")):
        assert mask(text[:16_000], effort=Effort(8 * AT_ONCE_UNITS)) == text[:16_000]


async def test_a_text_that_takes_its_time_is_masked_beside_the_loop() -> None:
    where: list[str] = []

    class Watched(Mask):
        def __call__(self, text: str, **options: object) -> Masked:
            where.append(threading.current_thread().name)
            return super().__call__(text, **options)  # type: ignore[arg-type]

    mask = FairMask(Watched(["hunter-2-hunter"]), LongWork())
    text = "C:\\Users\\new\\table\\x &amp; %41\r\n" * 500
    assert await mask.text("short hunter-2-hunter") == "short ***"
    assert where == [threading.current_thread().name]
    masked, units = await mask.do(
        lambda effort: mask.mask(text + "hunter-2-hunter", effort=effort), lambda: not_shown(text)
    )
    assert masked == text + "***"
    assert units > AT_ONCE_UNITS
    assert len(set(where)) == 2


async def test_where_there_is_no_time_what_takes_its_time_is_not_shown(learned: Mask) -> None:
    text = HOSTILE["escapes of all kinds"]
    mask = FairMask(learned, LongWork())
    shown, units = await mask.do(
        lambda effort: mask.mask(text, effort=effort), lambda: not_shown(text), at_once=True
    )
    assert shown == not_shown(text)
    assert units >= AT_ONCE_UNITS


def test_what_is_made_ready_beside_the_loop_is_ready_for_a_text_that_was_cut_and_gives_way_meanwhile() -> (
    None
):
    secrets = [f"Pa55-{number:05}-xyZ" for number in range(1000)]
    mask, pauses = Mask(secrets), []
    mask.prepare(lambda: pauses.append(1))
    assert len(pauses) > 20
    assert not mask._needles._unfiled, "the first text that was cut would have to wait for that"
    assert mask(f"it is {secrets[7][:9]}", cut_after=True) == f"it is {MASK}"
    assert mask(f"{secrets[8]} it is") == f"{MASK} it is"
    for before in ("", "a", "ab"):  # the characters beside it hold some bits of the secret each
        text = f"it is {b64encode(f'{before}{secrets[9]}:'.encode()).decode()}"
        assert mask(text) == Mask(secrets)(text) == f"it is {MASK}"
