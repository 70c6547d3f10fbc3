"""Runs single blocks for a caller that waits: for `supervisor run-block`, and for the pytest harness.

`python -m supervisor.commands.blockserver` is a process of its own. So the process of the tests is never a subreaper,
never forks, and no sweep kills its own subprocesses. It reads requests from stdin and writes answers to stdout, both as
JSON lines (`supervisor.commands.blockserver.requests`, `supervisor.commands.blockserver.answer`).
"""
