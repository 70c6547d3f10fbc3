"""What a test can have the host do about session holders, which fork children into their sessions."""

import asyncio
import contextlib
import os
import signal
from pathlib import Path
from typing import Any

from supervisor.launcher import Child, session_holders
from supervisor.launcher.known_children import direct_children
from supervisor.launcher.ownership import JobProcesses
from supervisor.launcher.sweep import Sweeper
from supervisor.process.proc import read_stat
from tests.patience import until


def _holders(host: Any) -> list[int]:
    return sorted(holder.pid for holder in host.launcher._holders.living)


async def _end(child: Child) -> None:
    child.kill()
    await child.exited
    child.reap_and_close()


async def children_at_once(host: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Start `count` children at once, and end them; tell of each its session, group, terminal and parent."""
    children = await asyncio.gather(*(host.launcher.spawn_child() for _ in range(request["count"])))
    seen = []
    for child in children:
        fields = Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()
        parent, group, session, terminal = map(int, fields[1:5])
        seen.append(
            {"pid": child.pid, "parent": parent, "group": group, "session": session, "terminal": terminal}
        )
        await _end(child)
    return {"children": seen, "holders": _holders(host), "forks_once": host.launcher._template.forks_once}


async def holder_signalled(host: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Signal the holder whose session is to be used next, and start a child; tell by whom it was forked."""
    await _end(await host.launcher.spawn_child())
    holder = host.launcher._holders._free[0].pid
    running = await host.launcher.spawn_child()
    await _end(await host.launcher.spawn_child())  # another one is free besides
    os.kill(holder, request["signal"])
    if request["signal"] == signal.SIGKILL:
        await until(lambda: holder not in _holders(host))
    await _end(running)
    child = await host.launcher.spawn_child()
    session = os.getsid(child.pid)
    await _end(child)
    return {"signalled": holder, "session": session, "holders": _holders(host)}


async def share_changed(host: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Have a child change the priority of its whole session, and start the next child; tell both sessions."""
    child = await host.launcher.spawn_child()
    before = os.getsid(child.pid)
    Path(f"/proc/{child.pid}/autogroup").write_text("5")
    await _end(child)
    child = await host.launcher.spawn_child()
    after = os.getsid(child.pid)
    nice = Path(f"/proc/{child.pid}/autogroup").read_text().split()[-1]
    await _end(child)
    return {"before": before, "after": after, "nice": nice}


async def share_of_the_template_changed(host: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Change the priority of the template's session, and start a child whose holder is a new one; tell its share."""
    for holder in _holders(host):
        os.kill(holder, signal.SIGKILL)
    await until(lambda: not _holders(host))
    Path(f"/proc/{host.launcher.template_pid}/autogroup").write_text("5")
    child = await host.launcher.spawn_child()
    nice = Path(f"/proc/{child.pid}/autogroup").read_text().split()[-1]
    await _end(child)
    return {"nice": nice, "holders": _holders(host)}


async def _stopped_before_announcing(host: Any, request: dict[str, Any], known: set[int]) -> tuple[int, int]:
    """Wait for a holder that has stopped itself, and its child; return their pids. `known` are all earlier children."""
    await until(lambda: not Path(request["stop"]).exists() and direct_children() - known)
    # It takes the file away a moment before it stops itself.
    await until(lambda: any(_is_stopped(pid) for pid in _holders(host)))
    (unannounced,) = direct_children() - known
    (holder,) = {pid for pid in _holders(host) if _is_stopped(pid)}
    return holder, unannounced


async def sweep_before_the_announcement(host: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Sweep after a job, and look for strays, while a holder is stopped that has a child to announce."""
    ended = await host.launcher.spawn_child()
    await _end(await host.launcher.spawn_child())  # its holder is free, and announced
    known = direct_children()
    Path(request["stop"]).touch()
    starting = asyncio.create_task(host.launcher.spawn_child())
    holder, unannounced = await _stopped_before_announcing(host, request, known)
    ended.kill()
    await ended.exited
    sweeper = Sweeper(host.launcher)
    sweeper.look_for_strays()
    swept = await sweeper.clear(JobProcesses(ended.pid, ended.groups))
    await asyncio.sleep(0.3)  # strays are killed at the second look, 0.05 s after the first
    os.kill(holder, signal.SIGCONT)
    child = await starting
    seen = {"killed": swept.killed, "unannounced": unannounced, "child": child.pid}
    await _end(child)
    ended.reap_and_close()
    await sweeper.close()
    return seen


async def holder_killed_before_the_announcement(host: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Kill a holder that was stopped before it announced its child; tell whether that child is gone, by strays."""
    await _end(await host.launcher.spawn_child())
    known = direct_children()
    Path(request["stop"]).touch()
    starting = asyncio.create_task(host.launcher.spawn_child())
    holder, unannounced = await _stopped_before_announcing(host, request, known)
    os.kill(holder, signal.SIGKILL)
    child = await starting  # a new one has forked it
    sweeper = Sweeper(host.launcher)
    sweeper.look_for_strays()
    await until(lambda: not Path(f"/proc/{unannounced}").exists())
    await sweeper.close()
    await _end(child)
    return {"unannounced": unannounced, "child": child.pid}


async def template_killed_before_the_announcement(host: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Kill a template that was stopped before it announced a holder; tell which process was taken as nobody's."""
    await until(lambda: not host.runner._spares._starting)
    host.launcher._holders.end(*host.launcher._holders.living, reason="")
    await until(lambda: not host.launcher._requests._unclaimed)
    template = host.launcher.template_pid
    sweeper = Sweeper(host.launcher)
    sweeper.look_for_strays()
    await until(lambda: not sweeper._strays._tasks)  # it has found nothing, and would look no more by itself
    known = direct_children()
    Path(request["stop"]).touch()
    starting = asyncio.create_task(host.launcher.spawn_child())
    await until(lambda: _is_stopped(template))
    (unannounced,) = direct_children() - known
    os.kill(template, signal.SIGKILL)
    await asyncio.gather(starting, return_exceptions=True)
    await until(lambda: not Path(f"/proc/{unannounced}").exists())
    await until(lambda: host.launcher.template_pid not in (None, template))
    await sweeper.close()
    await _end(await host.launcher.spawn_child())
    return {"unannounced": unannounced}


async def unused_holders(host: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Start a child, let its holder be unused for too long, and start another; tell whether both live."""
    first = await host.launcher.spawn_child()
    before, kept = _holders(host), session_holders.UNUSED_SECONDS
    session_holders.UNUSED_SECONDS = 0.0
    await until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in before))
    session_holders.UNUSED_SECONDS = kept
    second = await host.launcher.spawn_child()
    lived = [not child.exited.done() for child in (first, second)]
    for child in (first, second):
        await _end(child)
    return {"before": before, "lived": lived, "holders": _holders(host)}


async def file_removed(host: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Remove a file that the template and holders know, and start a child; tell who holds it then.

    After that, have it let go of, and wait until nobody holds it.
    """
    await _end(await host.launcher.spawn_child())
    file = Path(request["file"])
    file.unlink()
    await _end(await host.launcher.spawn_child())
    held = _who_holds(host, file)
    host.runner.let_removed_files_go()
    await until(lambda: not _who_holds(host, file))
    return {"held": held}


def _who_holds(host: Any, removed: Path) -> list[str]:
    processes = {"template": host.launcher.template_pid}
    processes |= {f"holder {number}": pid for number, pid in enumerate(_holders(host))}
    return [name for name, pid in processes.items() if f"{removed} (deleted)" in _open_files(pid)]


def _open_files(pid: int) -> set[str]:
    found: set[str] = set()
    with contextlib.suppress(FileNotFoundError):  # it has ended
        for link in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):
                found.add(os.readlink(link))
    return found


async def most_holders(host: Any, request: dict[str, Any]) -> dict[str, Any]:
    """As `children_at_once`, where there may be only `most` holders."""
    kept = session_holders.MOST
    session_holders.MOST = request["most"]
    try:
        return await children_at_once(host, request)
    finally:
        session_holders.MOST = kept


def _is_stopped(pid: int) -> bool:
    stat = read_stat(pid)
    return stat is not None and stat.state == "T"


SESSION_SCENARIOS = {
    function.__name__: function
    for function in (
        children_at_once,
        holder_signalled,
        share_changed,
        share_of_the_template_changed,
        sweep_before_the_announcement,
        holder_killed_before_the_announcement,
        template_killed_before_the_announcement,
        unused_holders,
        file_removed,
        most_holders,
    )
}
