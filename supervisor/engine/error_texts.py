"""Texts about errors and unusable answers: in words, without a secret, and no longer than a line. Pure."""

import contextlib
import json
import math
import os
import re
from email.utils import parsedate_to_datetime
from typing import Final

from jobrunner.protocol.caps import cut
from supervisor.engine.own_secrets import OwnSecrets

_EXCERPT_CHARS: Final = 200
_ERROR_CAP_BYTES: Final = 64 * 1024
"""An engine's error message is short. A longer one is not parsed on the loop."""

_REASON_CHARS: Final = 500
_NUMBER_OF_ERROR: Final = re.compile(r"\[Errno (\d{1,5})\]")
PROXY_WANTS_PASSWORD: Final = 407
_NOT_LET_IN: Final = frozenset({401, 403, PROXY_WANTS_PASSWORD})


def reason_of(error: BaseException, seconds: float) -> str:
    """Say why there is no answer. The text may quote a proxy: mask it."""
    if isinstance(error, TimeoutError):
        return f"none within {seconds:g} s"
    if isinstance(error, MemoryError):
        return "the worker has no memory left for it. Give the machine, or the worker's cgroup, more memory"
    # aiohttp quotes the text that it could not read, which may be megabytes.
    return cut(" ".join(str(error).split()), _REASON_CHARS) or type(error).__name__


def cant_connect(host: str, port: int | None, error: OSError) -> str:
    """Say why there is no connection. `error` may cover several addresses of one name, if none has answered."""
    # asyncio puts the errors of several addresses into one text, each with its number.
    numbers = [error.errno] if error.errno else [int(each) for each in _NUMBER_OF_ERROR.findall(str(error))]
    reasons = dict.fromkeys(os.strerror(number) for number in numbers if number > 0)
    reason = ", ".join(reasons) or error.strerror or str(error)
    shown_host = f"[{host}]" if ":" in host else host
    return f"can't connect to {shown_host}:{port}: {reason}"


def message_in(content: bytes) -> str | None:
    """Return the message of an answer that reports an error as the engine does; `None` for all other answers.

    See engine contract: status codes. Of JSON only this message is shown: the rest may hold a job's passwords.
    """
    if content.lstrip()[:1] != b"{" or len(content) > _ERROR_CAP_BYTES:
        return None
    try:
        answer = json.loads(content)
    except (ValueError, RecursionError):
        return None
    said = answer.get("message", answer.get("error")) if isinstance(answer, dict) else None
    if not said:
        return None
    return said if isinstance(said, str) else json.dumps(said)


def explanation_of(content: bytes, secrets: OwnSecrets) -> str:
    """Return what an answer says about an error, masked."""
    said = message_in(content)
    if said is not None:
        return excerpt(said.encode(errors="backslashreplace"), secrets)
    if content.lstrip()[:1] not in (b"[", b"{"):
        return excerpt(content, secrets)
    return f"{len(content)} bytes of JSON without a message"


def redirect_hint(status: int) -> str:
    """Say what a redirect may mean; an empty text for any other status."""
    # The target is not shown: the address of a sign-in page may hold a token.
    return " (a redirect; is there a proxy at --engine-url?)" if 300 <= status < 400 else ""


def excerpt(content: bytes, secrets: OwnSecrets) -> str:
    """Return the beginning of an answer, masked."""
    # Secrets of jobs are masked only by their names: here it is not known which job this is, nor its secrets.
    text: str = secrets.masked(content[: 4 * _EXCERPT_CHARS].decode(errors="backslashreplace"))
    text = " ".join(text.split())
    return repr(text[:_EXCERPT_CHARS]) if text else "nothing"


def access_advice(status: int | None) -> str | None:
    """Say what to do if the worker is not let in; `None` for every other answer."""
    if status not in _NOT_LET_IN:
        return None
    if status == PROXY_WANTS_PASSWORD:
        return "Check user and password of the proxy (HTTP_PROXY, HTTPS_PROXY), then restart the worker."
    return "Check the token in --engine-token-file, which the worker reads anew, and any proxy before the engine."


def retry_after_seconds(value: str | None, date: str | None) -> float | None:
    """Return the pause that `Retry-After` asks for, or `None` (RFC 9110, section 10.2.3).

    A date counts from the answer's own `Date`: this machine's clock may differ from the engine's.
    """
    if not value:
        return None
    with contextlib.suppress(ValueError):
        seconds = float(value)
        return max(0.0, seconds) if math.isfinite(seconds) else None
    try:
        until, now = parsedate_to_datetime(value), parsedate_to_datetime(date or "")
        return max(0.0, (until - now).total_seconds())
    except (ValueError, TypeError, OverflowError):  # the second: one of both has no time zone
        return None
