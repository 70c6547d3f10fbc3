"""The context of a job: the entities it may work on, and what the block changed on them."""

from sdk.context.workflow_context import WorkflowContext

__all__ = ["WorkflowContext"]
