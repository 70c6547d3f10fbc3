"""The daemon: claims jobs, runs each in a process of its own, reports a truthful result for every one.

This package never imports a block, not even by accident of an import chain: whatever a block does,
it does in a child (`docs/adr/0001`).
"""
