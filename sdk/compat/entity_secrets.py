"""The client's entities tell of the secrets that a block gives to them, as the entities of this SDK do."""

from __future__ import annotations

import contextlib
import functools
from typing import Any, Final

from sdk.compat.client import client_class
from sdk.sensitive import learn_field

ENTITIES: Final = ("DeviceTypeDto", "InterfaceTypeDto", "DeviceGroupTypeDto")
"""The classes of a context's entities. New ones, of this SDK and of `neops_worker_sdk`, derive from them."""


def have_entities_tell() -> None:
    """Have the secrets that a block sets in an entity of the client's, or creates it with, masked from then on.

    For the process of one job: it changes classes that belong to somebody else. May be called again.
    """
    for name in ENTITIES:
        with contextlib.suppress(ImportError):  # a generation of the client may lack one
            _have_it_tell(client_class(name))


def _have_it_tell(kind: Any) -> None:
    # A generated class has neither of the two itself: what has one was here before.
    if "__setattr__" in vars(kind):
        return

    # By `super`, as it goes without these two: a class of the block's may have another base after this one.
    def set_and_tell(self: Any, name: str, value: Any) -> None:
        _tell(type(self), name, value)
        super(kind, self).__setattr__(name, value)

    # With the marks of pydantic's own: by them it sees that a class has no constructor of its own, and it calls none
    # where it makes an entity by itself, as all those that come with a job are made.
    @functools.wraps(kind.__init__)
    def create_and_tell(self: Any, /, *args: Any, **values: Any) -> None:
        for name, value in values.items():
            _tell(type(self), name, value)
        super(kind, self).__init__(*args, **values)

    kind.__setattr__ = set_and_tell
    kind.__init__ = create_and_tell


def _tell(kind: type[Any], name: str, value: object) -> None:
    # Before it is taken: where it is refused, the error must not show it. And what can't be looked into can be
    # assigned all the same.
    with contextlib.suppress(Exception):
        learn_field(kind, name, value)
