"""Makes the client's entities report the secrets that a block puts into them, as the entities of this SDK do."""

from __future__ import annotations

import contextlib
import functools
from typing import Any, Final

from sdk.compat.client import client_class
from sdk.sensitive import learn_field

ENTITIES: Final = ("DeviceTypeDto", "InterfaceTypeDto", "DeviceGroupTypeDto")
"""The classes of a context's entities. Those for new entities, here and in `neops_worker_sdk`, derive from them."""


def have_entities_tell() -> None:
    """Mask the secrets that a block sets in an entity of the client, or creates it with, from then on.

    For the process of one job only: this changes classes of another package. May be called again.
    """
    for name in ENTITIES:
        with contextlib.suppress(ImportError):  # a generation of the client may lack one
            _have_it_tell(client_class(name))


def _have_it_tell(kind: Any) -> None:
    # A generated class has neither method itself. If it has one, this function was here before.
    if "__setattr__" in vars(kind):
        return

    # By `super`, as without these two methods: a class of the block's may have another base after this one.
    def set_and_tell(self: Any, name: str, value: Any) -> None:
        _tell(type(self), name, value)
        super(kind, self).__setattr__(name, value)

    # With the marks of pydantic's own method. They show pydantic that a class has no constructor of its own. Then it
    # calls none for the entities that it makes itself, which are all that come with a job.
    @functools.wraps(kind.__init__)
    def create_and_tell(self: Any, /, *args: Any, **values: Any) -> None:
        for name, value in values.items():
            _tell(type(self), name, value)
        super(kind, self).__init__(*args, **values)

    kind.__setattr__ = set_and_tell
    kind.__init__ = create_and_tell


def _tell(kind: type[Any], name: str, value: object) -> None:
    # Before the assignment: if it is refused, the error must not show the secret. An object that can't be searched
    # can be assigned all the same.
    with contextlib.suppress(Exception):
        learn_field(kind, name, value)
