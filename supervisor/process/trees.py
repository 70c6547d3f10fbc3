"""Removes what a job left in its directory, however deep and however large it is."""

import contextlib
import itertools
import os
import stat
from collections.abc import Generator, Iterator

_numbers = itertools.count(1)


def remove_tree(path: str | os.PathLike[str], above: int | None = None) -> None:
    """Remove a directory with its content. Never raises; what can't be removed stays.

    `above` is the descriptor of a directory: then `path` is relative to it.
    """
    for _ in removal(path, above):
        pass


def removal(path: str | os.PathLike[str], above: int | None = None) -> Iterator[None]:
    """Remove a directory with its content, in steps of a few system calls each. Never raises.

    If a block has put a link or a file in its place, that is removed, and the target of a link stays. If a block has
    removed the right to enter a directory, the right is restored.

    It uses no recursion, which a thousand nested directories would end, and not one descriptor per level. Instead, it
    moves the directories found in a directory to the top, one after the other, and empties them there.
    """
    try:
        os.rmdir(path, dir_fd=above)  # most directories are empty
    except NotADirectoryError:
        with contextlib.suppress(OSError):
            os.unlink(path, dir_fd=above)
        return
    except FileNotFoundError:
        return
    except OSError:
        pass
    else:
        return
    top = _open(os.fspath(path), above)
    if top is None:
        return
    try:
        yield from _empty(top)
    finally:
        os.close(top)
    with contextlib.suppress(OSError):
        os.rmdir(path, dir_fd=above)


def _empty(top: int) -> Iterator[None]:
    removed = True
    while removed:  # directories that are moved up during a round may be missing in it
        removed = False
        with contextlib.suppress(OSError), os.scandir(top) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    removed |= yield from _remove_directory(entry.name, top)
                else:
                    removed |= _unlink(entry.name, top)
                yield


def _remove_directory(name: str, top: int) -> Generator[None, None, bool]:
    """Remove a directory at the top. Returns whether it could be removed."""
    if _rmdir(name, top):
        return True
    inner = _open(name, top)
    if inner is None:
        return False
    try:
        with contextlib.suppress(OSError), os.scandir(inner) as entries:
            for entry in entries:
                if not entry.is_dir(follow_symlinks=False):
                    _unlink(entry.name, inner)
                elif not _rmdir(entry.name, inner):
                    _move_up(entry.name, inner, top)
                yield
    finally:
        os.close(inner)
    return _rmdir(name, top)


def _open(name: str, above: int | None) -> int | None:
    """Open a directory with the right to list and change its content; `None` if that is not possible."""
    with contextlib.suppress(OSError):
        path = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=above)
        try:
            if os.fstat(path).st_mode & stat.S_IRWXU != stat.S_IRWXU:
                # By the descriptor: the name could be a link to somewhere else by now.
                with contextlib.suppress(OSError):
                    os.chmod(f"/proc/self/fd/{path}", stat.S_IRWXU)
            return os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=path)
        finally:
            os.close(path)
    return None


def _move_up(name: str, above: int, top: int) -> None:
    # It gets a unique name. To be moved, a directory must be writable: its `..` changes.
    opened = _open(name, above)
    if opened is not None:
        os.close(opened)
    with contextlib.suppress(OSError):
        os.rename(name, f"moved-{os.getpid()}-{next(_numbers)}", src_dir_fd=above, dst_dir_fd=top)


def _unlink(name: str, above: int) -> bool:
    try:
        os.unlink(name, dir_fd=above)
    except OSError:
        return False
    return True


def _rmdir(name: str, above: int) -> bool:
    try:
        os.rmdir(name, dir_fd=above)
    except OSError:
        return False
    return True
