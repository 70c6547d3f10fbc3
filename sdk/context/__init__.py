"""The context of a job: the entities on which it may work, and how the block has changed them."""

from sdk.context.workflow_context import WorkflowContext

__all__ = ["WorkflowContext"]
