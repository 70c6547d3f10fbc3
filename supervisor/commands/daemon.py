"""`supervisor [flags]`: the daemon."""

import logging

from supervisor.commands.common import read_settings, run_to_exit_code
from supervisor.daemon import Daemon
from supervisor.logs import start_logging
from supervisor.notify import Notifier
from supervisor.owned_names import refuse_foreign_owners
from supervisor.settings import DaemonSettings

PROGRAM = "supervisor"


def run(arguments: list[str]) -> int:
    """Run the daemon until it is told to stop."""
    settings = read_settings(DaemonSettings, arguments, PROGRAM)
    notifier = Notifier()
    listener = start_logging(settings.log_level_number)

    async def work() -> int:
        refuse_foreign_owners()
        return await Daemon(settings, notifier).run()

    try:
        return run_to_exit_code(PROGRAM, work)
    finally:
        listener.stop()
        logging.shutdown()
