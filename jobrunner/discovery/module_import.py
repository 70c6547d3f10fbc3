"""Imports one module of an author, and turns any failure into one clear record."""

import importlib
import logging
import os
import sys
import traceback
from types import TracebackType
from typing import Final

from pydantic.errors import PydanticUserError

from jobrunner.discovery.module import Module, run_directory
from jobrunner.protocol.catalogue import ImportProblem, ProblemKind
from sdk.author_names import author_name
from sdk.block_registry import registry
from sdk.compat.client import way_out_of
from sdk.declaration_advice import advice_on_declaration
from sdk.errors import DuplicateBlockError
from sdk.frames import author_frame
from sdk.whose_code import Whose, whose

_NO_AUTHORS: Final = ("<", os.path.join(os.path.dirname(importlib.__file__), ""))
"""Code that is in no file, such as the constructor of a dataclass: an author sees only where it was called."""
_BEYOND_TOP: Final = "attempted relative import beyond top-level package"
"""Python's text about `from ..x import y` without a package above: the error has no field for that."""
_PROBE: Final = logging.getLogger(__name__)
"""No author disables this logger by its name. If it is disabled, all others were disabled as well."""


def import_module(module: Module) -> ImportProblem | None:
    """Import `module`; return `None` if it went well. A failure harms only this module."""
    writes_bytecode = sys.dont_write_bytecode
    # Python recognises a file's bytecode by the second of its change and its size (PEP 552). If a file were saved twice
    # in one second, and reloaded, the old code would stay for ever. Also, an author's directory must not change.
    sys.dont_write_bytecode = writes_bytecode or module.is_an_authors
    disabled, disabled_level = _disabled_loggers(), logging.root.manager.disable
    try:
        if module.is_directory:
            run_directory(module)
        else:
            importlib.import_module(module.name)
    except SystemExit as error:
        said = f"called sys.exit({error.code!r}) while it was imported"
        return problem_of(module, "exit", error, said)
    except DuplicateBlockError as error:
        return problem_of(module, "conflict", error, str(error))
    except BaseException as error:
        return problem_of(module, "error", error)
    finally:
        sys.dont_write_bytecode = writes_bytecode
        _give_logs_back(disabled, disabled_level)
    return None


def _disabled_loggers() -> set[str]:
    loggers = list(logging.root.manager.loggerDict.items())
    return {name for name, each in loggers if isinstance(each, logging.Logger) and each.disabled}


def _give_logs_back(disabled: set[str], disabled_level: int) -> None:
    """Undo it if a module has disabled all other logs: their jobs would lose even their tracebacks.

    `logging.config.dictConfig` and `fileConfig` disable each logger that they do not name, unless they are told not to,
    and `logging.disable` silences whole levels. A logger that a module disables by its name stays disabled, because the
    author means it. But if the same module also sets logging up so, nobody can tell the two apart.
    """
    if logging.root.manager.disable != disabled_level:
        logging.disable(disabled_level)
    if not _PROBE.disabled:
        return
    for name in _disabled_loggers() - disabled:
        logging.getLogger(name).disabled = False


def forget_half_imported() -> None:
    """Unregister the blocks of modules whose import failed after the block: they lack the code that comes after it.

    The import system removes such a module from `sys.modules`; a module that is there was imported completely. The
    class may be made by a function of another module, which is there, and not in the module that failed.
    """
    for identifier, block in list(registry.function_blocks.items()):
        if not {block.module, block.importing or block.module} <= sys.modules.keys():
            del registry.function_blocks[identifier]


def thread_problem(module: Module) -> ImportProblem | None:
    """Report whether threads run now, right after `module` was imported."""
    if len(os.listdir("/proc/self/task")) == 1:
        return None
    return ImportProblem(
        module=module.name,
        file=module.file,
        line=None,
        kind="thread",
        message="started a thread while it was imported; a process with threads can't be forked safely. "
        "Start threads in run(), or in a function that run() calls.",
        traceback="",
    )


def problem_of(
    module: Module, kind: ProblemKind, error: BaseException, message: str | None = None
) -> ImportProblem:
    """Return `error` as a problem of `module`, with the author's file and line. Default of `message`: the error's."""
    frame = author_frame(_strip(error.__traceback__))
    file, line = (frame.filename, frame.lineno) if frame is not None else (module.file, None)
    if isinstance(error, SyntaxError) and error.filename:
        file, line = error.filename, error.lineno
    return ImportProblem(
        module=module.name,
        file=file,
        line=line,
        kind=kind,
        message=_said(error) if message is None else message,
        traceback="".join(traceback.format_exception(type(error), error, _strip(error.__traceback__))),
    )


def _said(error: BaseException) -> str:
    text = author_name(str(error))
    if isinstance(error, PydanticUserError):
        text = text.partition("\n")[0]  # the rest is for people who write types for pydantic
    advice = (
        way_out_of(error)
        or advice_on_declaration(error)
        or _advice_on_layout(error)
        or _advice_on_missing(error)
    )
    stop = "." if advice and not text.endswith((".", "?")) else ""
    return f"{type(error).__name__}: {text}{stop}{advice}"


def _advice_on_layout(error: BaseException) -> str:
    """Return what to do about a relative import that leaves the named directory; empty for any other error."""
    if not isinstance(error, ImportError) or str(error) != _BEYOND_TOP:
        return ""
    return (
        " Relative imports end at the directory of blocks that is named: name one further up, or import the module by "
        "its whole name."
    )


def _advice_on_missing(error: BaseException) -> str:
    """Return where a module must be that nobody finds; empty for any other error.

    A part of a package, or of an author's directory, has a dot in its name: there the name is wrong.
    """
    if not isinstance(error, ModuleNotFoundError) or not error.name or "." in error.name:
        return ""
    return (
        f" If it is a library, install it into the worker's environment ({sys.prefix}). If it is a file of yours, "
        "put it into the directory of blocks."
    )


def _is_ours(filename: str) -> bool:
    return filename.startswith(_NO_AUTHORS) or whose(filename) is Whose.WORKER


def _strip(trace: TracebackType | None) -> TracebackType | None:
    while trace is not None and _is_ours(trace.tb_frame.f_code.co_filename):
        trace = trace.tb_next
    return trace
