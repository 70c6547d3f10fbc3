"""Blocks that turn the interpreter under them inside out."""

import asyncio
import atexit
import contextlib
import faulthandler
import gc
import json
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import AsyncIterator
from typing import Any

from tests.programs.zoo.hostile import Params, Zoo, hostile

_KEPT: list[Any] = []


def _raise(*_: object, **__: object) -> Any:
    raise RuntimeError("replaced by a block")


@hostile
async def break_json(block: Zoo, params: Params) -> None:
    """Replaces json and its encoder, and returns."""
    json.dumps = json.loads = json.JSONEncoder.encode = json.JSONEncoder.iterencode = _raise


@hostile
async def break_asyncio(block: Zoo, params: Params) -> None:
    """Replaces the functions that end an event loop, and returns."""
    asyncio.all_tasks = asyncio.tasks.all_tasks = asyncio.runners._cancel_all_tasks = _raise


@hostile
async def break_exit(block: Zoo, params: Params) -> None:
    """Makes `os._exit` do nothing, and returns."""
    os._exit = lambda code: None


@hostile
async def break_getpid(block: Zoo, params: Params) -> None:
    """Makes `os.getpid` lie, and returns."""
    os.getpid = lambda: 1


@hostile
async def forget_modules(block: Zoo, params: Params) -> None:
    """Empties `sys.modules`, and returns."""
    sys.modules.clear()


@hostile
async def change_sdk_classes(block: Zoo, params: Params) -> None:
    """Changes the state of classes and modules that the next job would share, were it in this process."""
    type(block).run = _raise
    Params.model_fields.clear()
    sys.path.clear()
    os.environ.clear()


@hostile
async def stop_loop(block: Zoo, params: Params) -> None:
    """Stops the event loop that runs it."""
    asyncio.get_running_loop().stop()
    await asyncio.sleep(600)


@hostile
async def loop_exception_handler(block: Zoo, params: Params) -> None:
    """Has the handler of the loop's errors end the process, has errors, and returns."""
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda *_: sys.exit(5))
    for _ in range(10):
        loop.call_soon(_raise)
    await asyncio.sleep(0)


@hostile
async def slow_callbacks(block: Zoo, params: Params) -> None:
    """Fills its loop with callbacks that put in two for each, and hangs."""
    loop = asyncio.get_running_loop()

    def more() -> None:
        if len(_KEPT) < 10_000:
            _KEPT.append(None)
            loop.call_soon(more)
        loop.call_soon(more)

    more()
    await asyncio.sleep(600)


@hostile
async def undying_generator(block: Zoo, params: Params) -> None:
    """Leaves an asynchronous generator that can't be closed, and returns."""

    async def generator() -> AsyncIterator[int]:
        while True:
            try:
                yield 1
            finally:
                await asyncio.sleep(600)

    _KEPT.append(generator())
    await anext(_KEPT[-1])


@hostile
async def undying_task(block: Zoo, params: Params) -> None:
    """Leaves a task that can't be cancelled, and returns."""

    async def task() -> None:
        while True:
            try:
                await asyncio.sleep(600)
            except asyncio.CancelledError:
                continue

    _KEPT.append(asyncio.create_task(task()))
    await asyncio.sleep(0)


@hostile
async def exit_handler_hangs(block: Zoo, params: Params) -> None:
    """Registers an exit handler that hangs, and returns."""
    atexit.register(time.sleep, 600)


@hostile
async def executor_thread_stuck(block: Zoo, params: Params) -> None:
    """Leaves a thread of the default executor stuck, and returns."""
    asyncio.get_running_loop().run_in_executor(None, time.sleep, 600)


@hostile
async def main_thread_lock(block: Zoo, params: Params) -> None:
    """Waits for a lock that it holds already."""
    lock = threading.Lock()
    lock.acquire()
    lock.acquire()


@hostile
async def no_faulthandler(block: Zoo, params: Params) -> None:
    """Turns faulthandler off for every signal, and hangs."""
    faulthandler.disable()
    for number in range(1, signal.NSIG):
        with contextlib.suppress(RuntimeError, ValueError):  # its own signals, those of a crash
            faulthandler.unregister(number)
    time.sleep(600)


@hostile
async def other_faulthandler(block: Zoo, params: Params) -> None:
    """Has faulthandler write to stderr for every signal that can be had, and hangs."""
    for number in range(1, signal.NSIG):
        try:
            faulthandler.register(number, file=sys.stderr, chain=False)
        except (OSError, RuntimeError, ValueError):
            continue
    time.sleep(600)


@hostile
async def handler_for_every_signal(block: Zoo, params: Params) -> None:
    """Handles every signal in Python, and hangs."""
    for number in range(1, signal.NSIG):
        try:
            signal.signal(number, lambda *_: None)
        except (OSError, ValueError):
            continue
    while True:
        time.sleep(1)


@hostile
async def no_garbage_collector(block: Zoo, params: Params) -> None:
    """Turns the garbage collector off, and leaks cycles as fast as it can."""
    gc.disable()
    while True:
        cycle: list[Any] = [bytearray(1 << 16)]
        cycle.append(cycle)


@hostile
async def stack_overflow(block: Zoo, params: Params) -> None:
    """Calls itself through C code until the C stack is used up."""
    sys.setrecursionlimit(10**9)
    nested: Any = []
    for _ in range(10**6):
        nested = [nested]
    repr(nested)


@hostile
async def own_rlimits(block: Zoo, params: Params) -> None:
    """Takes the right to files, processes and memory from itself, and returns."""
    for kind in (resource.RLIMIT_NOFILE, resource.RLIMIT_NPROC, resource.RLIMIT_FSIZE, resource.RLIMIT_STACK):
        resource.setrlimit(kind, (0, 0))


@hostile
async def switch_interval(block: Zoo, params: Params) -> None:
    """Never lets another thread have the GIL again, and spins."""
    sys.setswitchinterval(10**6)
    while True:
        pass


@hostile
async def trace_function_raises(block: Zoo, params: Params) -> None:
    """Leaves trace and profile functions that raise, and returns."""
    sys.setprofile(_raise)
    threading.settrace(_raise)
