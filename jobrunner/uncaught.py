"""Reports errors outside of the block's own flow as one event with the author's line.

Python prints these to stderr, one line at a time, together with the frames before the author's code.
"""

import linecache
import logging
import threading
from types import TracebackType

from jobrunner.channel import Channel
from sdk.failure import headline, text_of, traceback_of
from sdk.masking import hiding_all

_log = logging.getLogger("block")


def wrong_call(record: logging.LogRecord, error: BaseException) -> str:
    """Say that `record` could not be formatted, why, and which line has logged it."""
    source = linecache.getline(record.pathname, record.lineno).strip()
    return (
        f"A call to the log is wrong, and its message is lost: {type(error).__name__}: {text_of(error, hiding_all())}\n"
        f'  File "{record.pathname}", line {record.lineno}, in {record.funcName}\n    {source}\n'
        "Give one argument for each placeholder, of its kind, or write the values into the text (an f-string)."
    )


def tell_uncaught_in_threads(channel: Channel) -> None:
    """Log an exception that ends a thread. An author's own hook stays, and a fork of this process prints as usual."""
    if threading.excepthook is not threading.__excepthook__:
        return

    def tell(args: threading.ExceptHookArgs) -> None:
        if not channel.is_mine:
            threading.__excepthook__(args)
            return
        if issubclass(args.exc_type, SystemExit):
            return
        error = args.exc_value or args.exc_type()
        error = error.with_traceback(_below_threading(args.exc_traceback))
        hide = hiding_all()
        name = args.thread.name if args.thread else "without a name"
        _log.error(
            "The thread %s ended by an exception that nothing caught: %s\n%s",
            name,
            headline(error, hide),
            traceback_of(error, hide),
        )

    threading.excepthook = tell


def _below_threading(trace: TracebackType | None) -> TracebackType | None:
    while trace is not None and trace.tb_frame.f_code.co_filename == threading.__file__:
        trace = trace.tb_next
    return trace
