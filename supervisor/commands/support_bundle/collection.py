"""Collects parts with time limits: a part that fails or hangs becomes a sentence, and the others go on."""

import json
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import IO, Any, Final

from supervisor.commands.support_bundle.archive import Archive
from supervisor.commands.support_bundle.redaction import Redaction
from supervisor.errors import SupervisorError

PART_SECONDS: Final = 10.0
TOTAL_SECONDS: Final = 60.0
OUTPUT_CAP_BYTES: Final = 4 * 2**20
"""Twice what the archive takes of a text: at a cut there may be half a secret, which a mask does not find."""
_READ_BYTES: Final = 64 * 1024


class LeftOutError(SupervisorError):
    """There is nothing to collect. The text says why, as a sentence."""


class NotOfThisCaseError(LeftOutError):
    """It can't exist in this case, such as the end of a running job. Nothing is reported as missing."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text, and what is missing: how many bytes before it, and whether there was more after it."""

    text: str
    cut_bytes: int = 0
    is_cut_off: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """One file of the archive. `collect` returns a `Text`, a `str`, or what becomes JSON; it may block."""

    name: str
    collect: Callable[[], Any]
    seconds: float = PART_SECONDS


def collect_into(archive: Archive, parts: Sequence[Part], redaction: Redaction) -> None:
    """Add every part that comes in time. `archive.left_out` names the others."""
    until = time.monotonic() + TOTAL_SECONDS
    for part in parts:
        seconds = min(part.seconds, until - time.monotonic())
        if seconds <= 0:
            archive.left_out.append(f"{part.name}: {TOTAL_SECONDS:g} s were over.")
            continue
        found = _within(part, seconds, redaction)
        if isinstance(found, NotOfThisCaseError):
            continue
        if isinstance(found, LeftOutError):
            archive.left_out.append(f"{part.name}: {redaction.text(str(found))}")
        else:
            archive.add(part.name, found.text, cut_before=found.cut_bytes)
            if found.is_cut_off:
                archive.left_out.append(f"{part.name}: the end. The program was not done in time.")


def _within(part: Part, seconds: float, redaction: Redaction) -> Text | LeftOutError:
    """Return the text. If a part hangs on a disk or an NFS server, its thread is left behind."""
    results: list[Text | LeftOutError] = []

    def work() -> None:
        try:
            found = part.collect()
            results.append(_masked(found, redaction))
        except LeftOutError as error:
            results.append(error)
        except Exception as error:  # this machine may have any fault, and the other parts are still needed
            results.append(LeftOutError(f"It could not be read: {type(error).__name__}: {error}"))

    thread = threading.Thread(target=work, name=f"support bundle: {part.name}", daemon=True)
    thread.start()
    thread.join(seconds)
    return results[0] if results else LeftOutError(f"It did not come within {seconds:.0f} s.")


def _masked(found: Any, redaction: Redaction) -> Text:
    if isinstance(found, Text):
        return replace(found, text=redaction.text(found.text))
    return Text(redaction.text(found) if isinstance(found, str) else _json(redaction.data(found)))


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=True, default=str) + "\n"


def output_of(arguments: Sequence[str], seconds: float = PART_SECONDS - 1) -> Text:
    """Return the last megabytes of a program's output: a log has its newest lines at its end.

    The program is ended when its time is up.

    Raises `LeftOutError` if there is no such program, or if it has printed nothing.
    """
    try:
        process = subprocess.Popen(  # noqa: S603  # programs that are named in this package
            arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
    except OSError as error:
        raise LeftOutError(f"`{arguments[0]}` can't be run: {error.strerror}.") from None
    ended = threading.Event()

    def end() -> None:
        ended.set()
        process.kill()

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    assert process.stdout is not None
    try:
        data, cut_bytes = _end_of(process.stdout)
    finally:
        timer.cancel()
        process.kill()
        process.stdout.close()
        process.wait()
    if not data.strip():
        raise LeftOutError(f"`{' '.join(arguments)}` has printed nothing.")
    return Text(data.decode(errors="backslashreplace"), cut_bytes, is_cut_off=ended.is_set())


def _end_of(stream: IO[bytes]) -> tuple[bytes, int]:
    """Return the last `OUTPUT_CAP_BYTES` of a stream, and how many bytes came before these."""
    pieces: deque[bytes] = deque()
    came = cut = 0
    while piece := stream.read(_READ_BYTES):
        pieces.append(piece)
        came += len(piece)
        while came - cut - len(pieces[0]) >= OUTPUT_CAP_BYTES:
            cut += len(pieces.popleft())
    data = b"".join(pieces)[-OUTPUT_CAP_BYTES:]
    return data, came - len(data)
