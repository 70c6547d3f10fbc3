"""Blocks that take it out on their job directory, or on their descriptors."""

import contextlib
import os
import shutil
import sys

from tests.programs.zoo.hostile import Params, Zoo, hostile

_FILES = 20_000
_LEVELS = 1200
_BINARY = bytes(range(256)) * 4096


@hostile
async def remove_job_directory(block: Zoo, params: Params) -> None:
    """Leaves its directory, removes it, and returns."""
    directory = os.getcwd()
    os.chdir("/")
    shutil.rmtree(directory)


@hostile
async def replace_job_directory(block: Zoo, params: Params) -> None:
    """Puts a link to the directory of all jobs in the place of its own, and returns."""
    directory = os.getcwd()
    os.rmdir(directory)
    os.symlink(os.path.dirname(directory), directory)


@hostile
async def lock_job_directory(block: Zoo, params: Params) -> None:
    """Takes all rights to its directory and what is in it away, and returns."""
    os.makedirs("locked/inner")
    for path in ("locked/inner", "locked", "."):
        os.chmod(path, 0)


@hostile
async def many_files(block: Zoo, params: Params) -> None:
    """Makes twenty thousand files in its directory, and returns."""
    for number in range(_FILES):
        os.close(os.open(str(number), os.O_CREAT | os.O_WRONLY))


@hostile
async def deep_directory(block: Zoo, params: Params) -> None:
    """Makes directories in directories, far beyond the longest path, and returns."""
    for _ in range(_LEVELS):
        os.mkdir("x" * 20)
        os.chdir("x" * 20)


@hostile
async def strange_names(block: Zoo, params: Params) -> None:
    """Makes files whose names are no text, links to nowhere, to everything and to themselves, and returns."""
    for name in (b"\xff\xfe", b"-rf *", b"new\nline", b"a" * 255):
        os.close(os.open(name, os.O_CREAT | os.O_WRONLY))
    os.symlink("/", "everything")
    os.symlink("nowhere", "nothing")
    os.symlink("itself", "itself")
    os.mkfifo("fifo")


@hostile
async def descriptor_leak(block: Zoo, params: Params) -> None:
    """Opens files until there are no descriptors left, and returns."""
    with contextlib.suppress(OSError):
        while True:
            os.open(os.devnull, os.O_RDONLY)


@hostile
async def binary_output(block: Zoo, params: Params) -> None:
    """Prints sixteen megabytes of every byte there is, and returns."""
    for _ in range(16):
        sys.stdout.buffer.write(_BINARY)
    sys.stdout.buffer.flush()


@hostile
async def endless_line(block: Zoo, params: Params) -> None:
    """Prints sixty-four megabytes without a line end, and returns."""
    for _ in range(64):
        sys.stderr.write("x" * (1 << 20))
    sys.stderr.flush()


@hostile
async def empty_lines(block: Zoo, params: Params) -> None:
    """Prints thirty-two million line ends, and returns."""
    for _ in range(32):
        sys.stdout.write("\n" * (1 << 20))
    sys.stdout.flush()
