"""Collecting with bounds: each part has its time, and one that fails or hangs is a sentence and not the end."""

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
"""Twice what the archive takes of a text: where it is cut, half a secret may stand, which is not found to be masked."""
_READ_BYTES: Final = 64 * 1024


class LeftOutError(SupervisorError):
    """There is nothing to collect. The text says why, as a sentence."""


class NotOfThisCaseError(LeftOutError):
    """There can be nothing of it here, such as the end of a job that runs. That nothing is missing is not said."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text, and what is missing of it: how many bytes before it, and whether there was more to come behind it."""

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
    """Add every part that comes in time. What does not come is in `archive.left_out`."""
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
    """Return the text. The thread of one that hangs, on a disk or an NFS server, is left behind."""
    results: list[Text | LeftOutError] = []

    def work() -> None:
        try:
            found = part.collect()
            results.append(_masked(found, redaction))
        except LeftOutError as error:
            results.append(error)
        except Exception as error:  # whatever this machine is like: the other parts are wanted all the same
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
    """Return what a program prints, of which the last megabytes count: a log has its newest lines at its end.

    It is ended when its time is over.

    Raises `LeftOutError` where there is no such program, or it has printed nothing.
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
    """Return the last `OUTPUT_CAP_BYTES` of what comes, and how many bytes came before these."""
    pieces: deque[bytes] = deque()
    came = cut = 0
    while piece := stream.read(_READ_BYTES):
        pieces.append(piece)
        came += len(piece)
        while came - cut - len(pieces[0]) >= OUTPUT_CAP_BYTES:
            cut += len(pieces.popleft())
    data = b"".join(pieces)[-OUTPUT_CAP_BYTES:]
    return data, came - len(data)
