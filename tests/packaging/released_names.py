"""The names that programs read: of events and their facts, of causes, settings, commands and metrics.

`python -m tests.packaging.released_names > tests/packaging/released_names.txt` writes those of now, at a release.
"""

from supervisor.cli import COMMANDS
from supervisor.log.catalogue import all_events
from supervisor.settings.run_settings import DaemonSettings
from supervisor.verdict.verdict import Cause


def names() -> list[str]:
    """Return all of them, each with its kind: `event job_ended`, `fact job_ended.cause`, `cause crashed`."""
    found = [f"cause {cause.value}" for cause in Cause]
    found += [f"setting {name}" for name in DaemonSettings.model_fields]
    found += [f"command {name}" for name in COMMANDS]
    for event in all_events():
        found.append(f"event {event.name}")
        found += [f"fact {event.name}.{fact}" for fact in event.__annotations__]
    return sorted(found)


if __name__ == "__main__":
    print("\n".join(names()))
