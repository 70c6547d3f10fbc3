"""Words and ids of database updates. Working them out is the worker's business."""

from sdk.compat.migration_hints import refusing
from sdk.context.kinds import EntityType
from sdk.entities.temporary_ids import new_temporary_id as generate_temporary_id

__all__ = ["EntityType", "generate_temporary_id"]

__getattr__ = refusing(__name__)
