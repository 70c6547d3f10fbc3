"""The filters for times and for JSON: `{{ value | datetime("strftime", format="%Y") }}`."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from sdk.compat.migration_hints import refusing

_log = logging.getLogger(__name__)
_USUAL: Final = "%Y-%m-%d %H:%M:%S"
_SPANS: Final = ("days", "seconds", "microseconds", "milliseconds", "minutes", "hours", "weeks")

_OF_TIMES: Final[Mapping[str, tuple[Callable[..., Any], tuple[str, ...]]]] = {
    "fromtimestamp": (lambda value: datetime.fromtimestamp(value), ()),
    "strftime": (lambda value, **form: value.strftime(form.get("format", _USUAL)), ("format",)),
    "strptime": (lambda value, **form: datetime.strptime(value, form.get("format", _USUAL)), ("format",)),
    "timedelta": (lambda value, **spans: value + timedelta(**spans), _SPANS),
    "timestamp": (lambda value: value.timestamp(), ()),
}
_OF_JSON: Final[Mapping[str, tuple[Callable[..., Any], tuple[str, ...]]]] = {
    "json_dumps": (lambda value: _as_json(value), ()),
    "json_loads": (lambda value: json.loads(value), ()),
}


def datetime_filters(value: Any, query: str, **kwargs: Any) -> Any:
    """The result of `query` for a time. Raises `ValueError` for an unknown query or argument."""
    return _answer("datetime", _OF_TIMES, value, query, kwargs)


def json_filters(value: Any, query: str, **kwargs: Any) -> Any:
    """`value` as JSON (an empty text if it can't be JSON), or from JSON.

    Raises `ValueError` for an unknown query or argument.
    """
    return _answer("json", _OF_JSON, value, query, kwargs)


def _as_json(value: Any) -> str:
    try:
        return json.dumps(value)
    except (TypeError, ValueError) as error:
        _log.warning("The filter json makes an empty text of what is no JSON: %s.", error)
        return ""


def _answer(
    kind: str,
    queries: Mapping[str, tuple[Callable[..., Any], tuple[str, ...]]],
    value: Any,
    query: str,
    arguments: Mapping[str, Any],
) -> Any:
    if query not in queries:
        raise ValueError(f"The filter {kind} has no {query!r}. It has {', '.join(queries)}.")
    work, known = queries[query]
    if unknown := sorted(set(arguments) - set(known)):
        raise ValueError(f"The filter {kind} takes no {', '.join(unknown)} for {query!r}.")
    return work(value, **arguments)


__getattr__ = refusing(__name__)
