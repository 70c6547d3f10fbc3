"""Checks of this machine for `supervisor doctor`: one function for each, grouped by their subject.

To add one: a function that returns a `Finding`, and its place in `supervisor.commands.doctor.all_checks`.
"""
