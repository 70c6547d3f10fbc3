"""`python -m marked_worker`: the worker, with marks around the functions that `hops.py` names.

Each mark appends a line to `BENCH_MARKS_FILE`: the time (CLOCK_MONOTONIC) and the name of the hop. A function that is
not there any more is told on the first line of the output, and its hop is left out.
"""

import importlib
import inspect
import os
import sys
import time
from collections.abc import Callable
from typing import Any

from tests.programs.bench.timeline.hops import IN_SUPERVISOR, Hop

_file = os.open(os.environ["BENCH_MARKS_FILE"], os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)


def mark(name: str) -> None:
    os.write(_file, f"{time.monotonic():.6f} {name}\n".encode())


def put(hop: Hop) -> None:
    class_name, _, method = hop.method.partition(".")
    owner = getattr(importlib.import_module(hop.module), class_name)
    setattr(owner, method, marked(hop, getattr(owner, method)))


def marked(hop: Hop, function: Callable[..., Any]) -> Callable[..., Any]:
    if hop.when == "event":

        def with_event(self: Any, event: Any, *rest: Any) -> Any:
            if type(event).__name__ == hop.event:
                mark(hop.name)
            return function(self, event, *rest)

        return with_event
    if inspect.iscoroutinefunction(function):

        async def awaited(*arguments: Any, **named: Any) -> Any:
            if hop.when == "called":
                mark(hop.name)
            result = await function(*arguments, **named)
            if hop.when == "returned":
                mark(hop.name)
            return result

        return awaited

    def called(*arguments: Any, **named: Any) -> Any:
        if hop.when == "called":
            mark(hop.name)
        result = function(*arguments, **named)
        if hop.when == "returned":
            mark(hop.name)
        return result

    return called


if __name__ == "__main__":
    for each in IN_SUPERVISOR:
        try:
            put(each)
        except (ImportError, AttributeError) as error:
            print(f"no mark for {each.name}: {error}", flush=True)
    from supervisor.cli import main

    sys.exit(main())
