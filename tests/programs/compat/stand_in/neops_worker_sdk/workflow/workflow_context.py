"""The context: lists of the client's models, and what was changed in them."""

import copy
from collections.abc import Mapping

from neops_workflow_engine_client import DeviceTypeDto, InterfaceTypeDto  # noqa: F401  # as there: blocks import them from here

from sdk.compat.client import updates_dto

_KINDS = {"device": "devices", "interface": "interfaces", "group": "device_groups"}
_OWN = {"device": "device", "interface": "interface", "group": "device_group"}
_LEFT_OUT = {"id", "device_count", "skip_if_identifier_exists", "identifier_fields"}


class WorkflowContext:
    def __init__(self, context, run_on, entity_id=None):
        for kind, name in _KINDS.items():
            given = context.get(name) if isinstance(context, Mapping) else getattr(context, name)
            setattr(self, name, list(given or []))
            own = (
                [each for each in getattr(self, name) if int(each.id) == entity_id] if run_on == kind else []
            )
            if run_on == kind and not own:
                raise StopIteration
            setattr(self, _OWN[kind], own[0] if own else None)
        self._before = copy.deepcopy({kind: getattr(self, name) for kind, name in _KINDS.items()})

    def compute_db_updates(self):
        updates = [
            update for kind, name in _KINDS.items() for update in self._updates(kind, getattr(self, name))
        ]
        return updates_dto(updates) if updates else None

    def _updates(self, kind, entities):
        before = {int(each.id): each for each in self._before[kind]}
        after = {int(each.id): each for each in entities}
        for number in after.keys() - before.keys():
            new = after[number]
            update = {
                "operation": "create",
                "entity": kind,
                "id": number,
                "data": _dumped(new) | {"id": number},
            }
            update["skipIfIdentifierExists"] = getattr(new, "skip_if_identifier_exists", False)
            if fields := [field.value for field in getattr(new, "identifier_fields", ())]:
                update["identifierFields"] = fields
            yield update
        for number in before.keys() - after.keys():
            yield {"operation": "delete", "entity": kind, "id": number}
        for number in before.keys() & after.keys():
            old, new = _dumped(before[number]), _dumped(after[number])
            for path in [path for path in new if new[path] != old.get(path)]:
                yield {"operation": "patch", "entity": kind, "id": number, "path": path, "value": new[path]}


def _dumped(entity):
    dumped = entity.model_dump(by_alias=False, exclude_none=False)
    return {name: value for name, value in dumped.items() if name not in _LEFT_OUT}
