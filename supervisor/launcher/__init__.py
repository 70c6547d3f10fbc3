"""Starts children. One interface, two ways: forks of a template, or an interpreter of its own for each job."""

from supervisor.launcher.child import Child
from supervisor.launcher.interface import Imports, Launcher
from supervisor.launcher.spare_pool import SparePool

__all__ = ["Child", "Imports", "Launcher", "SparePool"]
