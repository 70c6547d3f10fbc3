"""`pause`, `resume` and `drain`: whether this worker polls for jobs."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from supervisor.lifecycle.intake import LONGEST_PAUSE_SECONDS, IntakeMode
from supervisor.worker.control_socket.protocol import ControlError, JsonObject, Request
from supervisor.worker.parts import Parts

_LOOK_SECONDS: Final = 1.0
"""How often a client that waits for a drain gets what is left, if that changes."""


async def pause(parts: Parts, request: Request) -> JsonObject:
    """Stop polling, for `for_seconds` or until `resume`. Raises `ControlError` in a drain, and when stopping."""
    _refuse_if_stopping(parts)
    for_seconds = request.number("for_seconds", 0) or None
    if for_seconds is not None and for_seconds > LONGEST_PAUSE_SECONDS:
        longest = f"{LONGEST_PAUSE_SECONDS / 86400:g} days"
        raise ControlError(
            "wrong_arguments", f"A pause with an end has at most {longest}. Leave the end away."
        )
    if not parts.intake.pause(request.peer.name, _note(request), for_seconds):
        raise ControlError(
            "draining",
            f"The worker is {parts.intake.why_closed} A pause would end that: resume it first, if that is meant.",
        )
    await parts.intake.recorded()
    return intake_of(parts)


async def resume(parts: Parts, request: Request) -> JsonObject:
    """Poll again. It is not an error if the worker polls already."""
    _refuse_if_stopping(parts)
    was_closed = parts.intake.resume(request.peer.name)
    await parts.intake.recorded()
    return {**intake_of(parts), "was_closed": was_closed}


async def drain(parts: Parts, request: Request) -> AsyncIterator[JsonObject]:
    """Stop polling. With `wait`, report what is left until nothing is; with `exit`, then end.

    The last part of the answer has the mode `drained`, unless somebody resumes or stops the worker meanwhile. If the
    client leaves, the drain goes on.
    """
    _refuse_if_stopping(parts)
    parts.intake.drain(request.peer.name, _note(request), ends_worker=request.flag("exit"))
    await parts.intake.recorded()
    told = intake_of(parts)
    yield told
    while request.flag("wait") and _is_draining(parts) and not parts.shutdown.asked.is_set():
        try:
            async with asyncio.timeout(_LOOK_SECONDS):
                await parts.intake.wait_while_draining()
        except TimeoutError:
            pass
        await parts.intake.recorded()
        if (now := intake_of(parts)) != told:
            yield now
        told = now


def intake_of(parts: Parts) -> JsonObject:
    """Return whether the worker polls for jobs, and what is left to do, as plain data."""
    state, left = parts.intake.state, parts.intake.left
    return {
        "mode": state.mode.value,
        "by": state.by or None,
        "note": state.note or None,
        "seconds_left": parts.intake.seconds_left,
        "survives_restart": False,
        "on_disk": parts.intake.is_on_disk,
        "jobs": left.jobs,
        "results": left.results,
        "requests": left.requests,
        "stopping": parts.shutdown.asked.is_set(),
    }


def _is_draining(parts: Parts) -> bool:
    # Read again each time: it changes while this waits.
    return parts.intake.state.mode is IntakeMode.DRAINING


def _note(request: Request) -> str:
    return request.text("note") if "note" in request.arguments else ""


def _refuse_if_stopping(parts: Parts) -> None:
    if parts.shutdown.asked.is_set():
        raise ControlError("stopping", "The worker is stopping, and asks for no jobs any more.")
