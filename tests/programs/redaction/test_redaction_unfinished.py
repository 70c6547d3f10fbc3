"""An unfinished line: wherever in a secret a process stops to print, no piece of the secret leaves the worker."""

import asyncio
import json
import os
import urllib.parse
from collections.abc import Callable

import pytest

from jobrunner.protocol.masking import MASK, Mask
from supervisor.process.output import OutputReader
from supervisor.watch.joblog import JobLog
from tests.printing import take_in
from tests.programs.redaction.reading import readings

LINE_CAP_BYTES = 8 * 1024
SECRETS = {
    "short": "qvzqxw",
    "with a sign": "zwqrkfish-7",
    "of digits": "71935284",
    "of words": "zwqrk fish and chips",
    "as base64": "QVZQxwkr0193+/Zq71kfQVZQxwkr0193+/Zq71kf",
    "with accents": "zésqmé-öffxé",
    "in another script": "日本語の秘密だよ",
    "beyond 16 bits": "😀zqw😀vkx",
    "with an escape in it": "zqv%41w\\x41v",
}
WRITINGS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "repr": ascii,
    "JSON": json.dumps,
    "URL": lambda secret: urllib.parse.quote(secret, safe=""),
}


def printed(data: bytes, secret: str, *, portion_bytes: int = 1 << 16) -> list[str]:
    """Return the lines and the last output of a process that has printed `data` and ended."""
    lines: list[str] = []

    async def read() -> str:
        end, child_end = os.pipe()
        os.set_blocking(end, False)
        mask = Mask([secret])
        log = JobLog("job-1", "tests/unfinished:1.0.0", mask)
        reader = OutputReader(end, lambda line: lines.append(mask(line)), log, log.mask_cut)
        for at in range(0, len(data), portion_bytes):
            await take_in(reader, (end, child_end), data[at : at + portion_bytes])
        os.close(child_end)
        reader.finish()
        os.close(end)
        return await log.end_of(reader.tail())

    last_output = asyncio.run(read())
    return [*lines, last_output]


def has_piece(text: str, secret: str) -> bool:
    pieces = {secret[at : at + 3] for at in range(len(secret) - 2)}
    return any(piece in reading for reading in readings(text, 2) for piece in pieces)


@pytest.mark.parametrize("writing", WRITINGS)
@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
def test_wherever_in_a_secret_the_printing_stops_no_piece_of_it_is_left(secret: str, writing: str) -> None:
    written = WRITINGS[writing](secret).encode()
    for end in range(1, len(written) + 1):
        for seen in printed(b"it is " + written[:end], secret):
            assert seen.startswith("it is ")
            assert not has_piece(seen, secret), seen


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
def test_wherever_the_cap_of_a_line_cuts_a_secret_no_piece_of_it_is_left(secret: str) -> None:
    written = secret.encode()
    for kept in range(1, len(written)):
        line = b"x " * LINE_CAP_BYTES
        seen, _ = printed(line[-LINE_CAP_BYTES + kept :] + written + b"\n", secret)
        assert "more bytes of this line cut" in seen
        assert not has_piece(seen, secret), seen[-100:]


def test_a_secret_with_a_backslash_is_masked_in_a_line_that_is_not_utf_8() -> None:
    secret = "zwör\\dfïsh"
    assert printed(b"it is " + secret.encode("latin-1"), secret) == [f"it is {MASK}"] * 2


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
def test_a_secret_that_comes_in_several_portions_is_masked_as_one(secret: str) -> None:
    line = f"it is {secret}".encode()
    for size in range(1, len(line)):
        assert printed(line + b"\n", secret, portion_bytes=size)[0] == f"it is {MASK}"
        assert printed(line, secret, portion_bytes=size)[0] == f"it is {MASK}"


@pytest.mark.parametrize("half", ["\x1b", "\x1b[", "\x1b[38;5;1", "\x1b[" + "1;" * 16])
def test_the_beginning_of_a_secret_is_masked_before_half_a_style(half: str) -> None:
    mask = Mask(["zwqrkfish-7-zwqrkfish"])
    assert mask(f"it is zwqrkfish-7{half}", cut_after=True) == f"it is {MASK}"
