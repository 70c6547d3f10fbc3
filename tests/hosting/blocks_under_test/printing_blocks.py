"""Blocks that print, and end before the line does, or hold what they print up; and one that reads its stdin."""

import io
import os
import signal
import socket
import sys
import threading
import time
from pathlib import Path

from sdk import FunctionBlockResult, WorkflowContext, register_function_block

from .process_blocks import Base, Data, Params, block, done


@register_function_block(block("prints_unfinished"))
class PrintsUnfinished(Base):
    """Prints a text without a line end, and ends in the way that `text` names."""

    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Data]:
        """Never return."""
        print("connecting ...", end="")
        sys.stderr.write("still connecting")
        sys.stdout.buffer.write(b" to r1")
        match params.text:
            case "abort":
                os.abort()
            case "exit":
                os._exit(3)
            case "fault":
                os.kill(os.getpid(), signal.SIGSEGV)
        time.sleep(60)
        return done(None)


@register_function_block(block("prints_through_its_own_stream"))
class PrintsThroughItsOwnStream(Base):
    """Prints after it has wrapped its stdout, as scripts do that want another encoding."""

    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Data]:
        """Return with the text in the buffer of that stream."""
        sys.stdout = io.TextIOWrapper(sys.stdout.buffer, encoding="latin-1")
        print("kept back")
        return done(None)


@register_function_block(block("prints_in_threads"))
class PrintsInThreads(Base):
    """Prints from two threads, each line in several parts."""

    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Data]:
        """Return when both are done."""

        def tell(name: str) -> None:
            for number in range(200):
                print(name, number, "end")

        threads = [threading.Thread(target=tell, args=(name,)) for name in ("a", "b")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return done(None)


@register_function_block(block("holds_its_pipe"))
class HoldsItsPipe(Base):
    """Prints, and then holds the lock of stdout (or of stderr, by `text`) for as long as it lives."""

    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Data]:
        """Never return. `marker` is a file for the number of its process."""
        signal.alarm(60)  # the supervisor can't end it if it hangs in front of the lock
        near, _far = socket.socketpair()
        stream = 2 if params.text == "stderr" else 1
        Path(params.marker).write_text(f"{os.getpid()}\n")
        os.write(stream, b"before\n")
        os.splice(near.fileno(), stream, 100)
        return done(None)


@register_function_block(block("reads_stdin"))
class ReadsStdin(Base):
    """Asks a person, whom a job does not have."""

    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Data]:
        """Return what stdin has, and what became of the question."""
        try:
            answer = input()
        except EOFError:
            answer = "EOFError"
        return done([sys.stdin.fileno(), sys.stdin.read(), sys.stdin.buffer.read().decode(), answer])
