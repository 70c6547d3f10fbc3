"""Contexts for tests."""

from sdk.compat.migration_hints import refusing

from ...workflow.testing_contexts import create_workflow_context

__all__ = ["create_workflow_context"]

__getattr__ = refusing(__name__)
