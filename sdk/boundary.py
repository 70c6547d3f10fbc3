"""The one error boundary around an author's code."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Final, TypeVar

from sdk.block_end import closing_at_the_end
from sdk.concurrency.tasks import with_its_tasks
from sdk.errors import SdkError
from sdk.failure import headline, hide_beginning, traceback_of
from sdk.isolation import isolation_hint
from sdk.logger import BlockLogger
from sdk.masking import Hide, hiding
from sdk.results import BaseFunctionBlockResult, mark_raised, mark_refused

R = TypeVar("R", bound=BaseFunctionBlockResult)

_ADVICE: Final[dict[type[BaseException], str]] = {
    SystemExit: "A block ends by returning its result: success=False in place of sys.exit() or quit().",
    asyncio.CancelledError: "The worker had not cancelled it: the block did, or awaited something cancelled.",
    MemoryError: "Its process got no more memory: hold less of it at a time. What limits it: ulimit -v, "
    "LimitAS= of the worker's unit, or vm.overcommit_memory.",
}
"""Advice for exceptions that mean something else in a block than in a program, or that have no text."""


async def guarded(
    attempt: Callable[[], Awaitable[R]],
    failed: Callable[[str, BaseException], R],
    *,
    what: str,
    logger: BlockLogger,
    secrets: Callable[[], frozenset[str]],
    propagate_exceptions: bool,
) -> R:
    """The result of `attempt`. If it raises, the result of `failed`, called with a message and the exception.

    `asyncio.CancelledError` always passes, because it ends a job. All else is a failure, also SystemExit and
    KeyboardInterrupt: a block's `sys.exit()` must not look like an intended end of the process.
    The traceback goes to the log; neither shows one of `secrets`. Before this returns, it awaits or cancels the tasks
    that `attempt` has scheduled (`sdk.concurrency.schedule_task`).
    """
    try:
        with closing_at_the_end() as condition:
            result = await with_its_tasks(attempt)
            if result.success:
                condition.check_success()
            return result
    except asyncio.CancelledError:
        raise
    except BaseException as error:
        if propagate_exceptions:
            raise
        hide = hiding(secrets())
        says_all = isinstance(error, SdkError) and error.needs_no_traceback
        tell = log_error if says_all else log_with_traceback
        result = failed(tell(error, what, logger, hide), error)
        if isinstance(error, SdkError):
            return result if error.retryable else mark_refused(result)
        return mark_raised(result)


def log_error(error: BaseException, what: str, logger: BlockLogger, hide: Hide) -> str:
    """Log the text of the SDK's own error, which says all that is needed, and return it.

    `what` names the block and what it was doing.
    """
    text = hide_beginning(str(error), hide)
    # Some texts begin with the block's name already.
    message = text if text.startswith(what.partition(" ")[0]) else f"{what}: {text}"
    if hint := isolation_hint(error):
        message = f"{message} {hint}"
    logger.error(message)
    return message


def log_with_traceback(error: BaseException, what: str, logger: BlockLogger, hide: Hide) -> str:
    """Log `error` with its traceback and return the message for the result. `what` as for `log_error`."""
    message = f"{what} raised {headline(error, hide)}"
    # Not logger.exception: the formatter would print texts that nobody has searched for secrets. No arguments
    # either: not every logger of a block fills them in by "%" (`sdk.compat`).
    logger.error(f"{message}\n{traceback_of(error, hide)}")
    advice = "".join(f" {text}" for text in _advice_on(error))
    return f"{message.rstrip('.')}.{advice} The traceback is in the job's log."


def _advice_on(error: BaseException) -> Iterator[str]:
    yield from (text for kind, text in _ADVICE.items() if isinstance(error, kind))
    if hint := isolation_hint(error):
        yield hint
