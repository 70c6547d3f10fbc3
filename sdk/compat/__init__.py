"""Blocks that were written for ``neops_worker_sdk`` run without a change.

Where that package is installed, its own code runs: ``sdk.compat.installed`` reads its registry, and runs its blocks.
Where it is not, ``sdk.compat.finder`` has its documented modules imported from ``sdk.compat.alias``, which maps them to
this SDK. What is covered by neither fails at the import, with the missing name and a way out.
"""
