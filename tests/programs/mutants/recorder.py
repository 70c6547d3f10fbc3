"""Records which lines run, in every process of a lane: started by the interpreter itself, before any code of ours.

One byte stands for each line, in a file that all processes of a test map into their memory. So what a process ran is
known also when `SIGKILL` or `os._exit` ended it, and forks record too. A library for coverage loses what a killed
process ran, and takes its instructions from the environment, which jobs don't get.

Imports nothing of the project, as it runs before it.
"""

import json
import mmap
import os
import sys
import threading
from types import CodeType, FrameType
from typing import Any

DIRECTORY = ".recording"
"""In the lane's root. It exists while tests are recorded."""

_TOOL = 3
_map: Any = None
_bases: dict[str, int] = {}


def start_if_asked(root: str) -> None:
    """Record this process if the lane records now. The interpreter calls this at each start."""
    directory = os.path.join(root, DIRECTORY)
    try:
        with open(os.path.join(directory, "current"), encoding="utf-8") as current:
            name = current.read()
    except OSError:
        return
    # `site` may read the .pth files of a virtual environment twice at one start.
    if name and not _bases:
        start(root)
        point_to(os.path.join(directory, f"{name}.out"))


def start(root: str) -> None:
    """Begin to record; where to is told by `point_to`."""
    with open(os.path.join(root, DIRECTORY, "layout.json"), encoding="utf-8") as layout:
        _bases.update({os.path.join(root, file): base for file, base in json.load(layout)["bases"].items()})
    if sys.version_info >= (3, 12):
        monitoring = sys.monitoring
        monitoring.use_tool_id(_TOOL, "mutants")
        monitoring.register_callback(_TOOL, monitoring.events.LINE, _on_line)
        monitoring.set_events(_TOOL, monitoring.events.LINE)
    else:
        threading.settrace(_on_call)
        sys.settrace(_on_call)


def point_to(path: str) -> None:
    """Record into this file from now on; it is as long as all lines together."""
    global _map
    with open(path, "r+b") as file:
        _map = mmap.mmap(file.fileno(), 0)
    if sys.version_info >= (3, 12):
        sys.monitoring.restart_events()


def _on_line(code: CodeType, line: int) -> Any:
    base = _bases.get(code.co_filename)
    if base is not None and _map is not None:
        _map[base + line] = 1
    return sys.monitoring.DISABLE  # type: ignore[attr-defined]  # 3.12 and later


def _on_call(frame: FrameType, event: str, argument: Any) -> Any:
    base = _bases.get(frame.f_code.co_filename)
    if base is None:
        return None

    def on_line(frame: FrameType, event: str, argument: Any) -> Any:
        if event == "line" and _map is not None:
            _map[base + frame.f_lineno] = 1
        return on_line

    return on_line
