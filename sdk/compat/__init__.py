"""Blocks that were written for `neops_worker_sdk` run without a change.

If that package is installed, its own code runs: `sdk.compat.installed` reads its registry, and runs its blocks.
If not, `sdk.compat.finder` builds its documented modules from `sdk.compat.alias` and `sdk.compat.re_exports`, which
map them to this SDK. A name that neither has fails at the import. The error names it and says what to do instead.
"""
