"""Whether a block may be registered again with these schemas (contract W3)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sdk.devengine.identifiers import BlockId
from sdk.devengine.records import RegistrationRecord

Schema = Mapping[str, Any]


def compared_versions(block: BlockId, stored: Iterable[RegistrationRecord]) -> list[RegistrationRecord]:
    """Return the registrations that the new schemas are compared with.

    These are the exact version, the latest patch of its minor, and the latest minor of its major.
    """
    same_major = [record for record in stored if record.block.major == block.major]
    same_minor = [record for record in same_major if record.block.minor == block.minor]
    exact = [record for record in same_minor if record.block == block]
    latest = [max(group, key=lambda record: record.block) for group in (same_minor, same_major) if group]
    return list({record.block: record for record in (*exact, *latest)}.values())


def incompatibilities(parameters: Schema, result: Schema, stored: RegistrationRecord) -> Iterator[str]:
    """Yield the changes that would break a workflow for the stored block; nothing if it would still work."""
    known: Schema = stored.body["parameterJsonSchema"]
    added = set(_required(parameters)) - set(_required(known))
    if added:
        yield f"parameters newly required against {stored.block}: {_listed(added)}"
    new_fields, old_fields = _properties(result), _properties(stored.body["resultDataJsonSchema"])
    missing = set(old_fields) - set(new_fields)
    if missing:
        yield f"result fields missing against {stored.block}: {_listed(missing)}"
    kept = set(old_fields) & set(new_fields)
    retyped = {name for name in kept if _retyped(old_fields[name], new_fields[name])}
    if retyped:
        yield f"result fields of another type than in {stored.block}: {_listed(retyped)}"


def _required(schema: Schema) -> list[str]:
    required = schema.get("required", [])
    return [name for name in required if isinstance(name, str)] if isinstance(required, list) else []


def _properties(schema: Schema) -> Schema:
    properties = schema.get("properties", {})
    return properties if isinstance(properties, dict) else {}


def _retyped(old: Any, new: Any) -> bool:
    """Whether both types are stated and differ. References and unions are left to the author."""
    if not (isinstance(old, dict) and isinstance(new, dict) and "type" in old and "type" in new):
        return False
    return bool(old["type"] != new["type"])


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names))
