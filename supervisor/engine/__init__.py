"""The engine as this worker uses it (contract W1 to W8). The only package that imports the generated client."""

from supervisor.engine.api import EngineApi
from supervisor.engine.http import EngineAccess
from supervisor.engine.items import LostJob, MalformedJob, parse_items
from supervisor.engine.large_poll import Poll

__all__ = ["EngineAccess", "EngineApi", "LostJob", "MalformedJob", "Poll", "parse_items"]
