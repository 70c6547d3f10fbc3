"""How many descriptors the worker may have, and how many of these a job may have."""

import resource
from typing import Final

_MOST: Final = 65_536
"""The worker never needs more; some machines allow a billion."""


def most_open_files() -> int:
    """Return how many descriptors this process may have once `allow_most` has been called."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = _MOST if hard == resource.RLIM_INFINITY else min(hard, _MOST)
    return max(allowed, soft)  # "infinite" is a number below zero


def allow_most() -> None:
    """Raise this process's own limit as far as the machine allows: shells and services begin with a thousand."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < most_open_files():
        resource.setrlimit(resource.RLIMIT_NOFILE, (most_open_files(), hard))


def most_of_a_job(wanted: int) -> int:
    """Return how many descriptors a process of a job may have, of `wanted`: at most half as many as the worker.

    For a user without rights, the kernel counts descriptors on their way in sockets over all the user's processes. If
    the sum is above a process's own limit, this process can send no more (ETOOMANYREFS; `too_many_unix_fds` in
    Linux's net/core/scm.c). With equal limits, one job could keep the worker from starting another.
    """
    return min(wanted, max(most_open_files() // 2, 1))
