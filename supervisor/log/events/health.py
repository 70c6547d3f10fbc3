"""Events of the worker's health and metrics."""

from logging import INFO, WARNING

from supervisor.log.event import Event


class HealthServed(Event, level=INFO, text="/live, /ready and /metrics are served on {address}."):
    """`--health-address` is set. `address` also has the port if the system chose it."""

    address: str


class HealthGroupClosed(
    Event,
    level=WARNING,
    text="Members of the group {group} can't ask for the worker's health, but root and the worker's user can: {reason}",
):
    """`--health-address` is a Unix socket. `reason` says why members of `--control-group` are not let in."""

    group: str
    reason: str


class MetricsMissing(
    Event,
    level=WARNING,
    text="/metrics answers 501: the package prometheus-client is not installed. /live and /ready are served. "
    "Run pip install '.[metrics]' in a checkout (deploy/install.sh has it already) and restart the worker.",
):
    """`--health-address` is set, and the extra `metrics` is not installed."""


class HealthRefused(
    Event, level=WARNING, text="Somebody was refused who asked for the worker's health: {reason}."
):
    """A wrong token, a wrong Host header, or a peer on the socket that may not ask.

    The log says it once a minute at most. `more` counts the requests that were refused since the last time.
    """

    reason: str
    more: int
