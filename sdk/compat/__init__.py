"""Blocks that were written for `neops_worker_sdk` run without a change.

Where that package is installed, its own code runs: `sdk.compat.installed` reads its registry, and runs its blocks.
Where it is not, `sdk.compat.finder` makes its documented modules of `sdk.compat.alias` and
`sdk.compat.re_exports`, which map them to this SDK. What is covered by neither fails at the import, with the missing
name and a way out.
"""
