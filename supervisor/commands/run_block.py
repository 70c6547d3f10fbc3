"""`supervisor run-block`: one block, once, in a child, exactly as the daemon runs it."""

import logging
import sys
from typing import Any, Final

from pydantic import Field
from pydantic_settings import CliPositionalArg

from jobrunner.protocol import linux
from jobrunner.protocol.catalogue import Catalogue
from jobrunner.protocol.messages import JobType, RunOn
from supervisor.commands.blockserver.answer import answer_of
from supervisor.commands.blockserver.block_lookup import NoSuchBlockError, choose
from supervisor.commands.blockserver.job_request import Asked, job_of
from supervisor.commands.blockserver.single import SingleRun
from supervisor.commands.shared.command_settings import EXIT_INTERRUPTED, CommandSettings
from supervisor.commands.shared.common import EXIT_FAILED, EXIT_USAGE, read_settings, run_to_exit_code
from supervisor.commands.shared.json_input import FORMS, BadInputError, read_job_input
from supervisor.commands.shared.json_output import print_json
from supervisor.commands.shared.outcome_text import print_outcome
from supervisor.launcher import Launcher
from supervisor.log.format import printable
from supervisor.log.setup import start_logging
from supervisor.settings.legacy_environment import NamesForBlocks
from supervisor.worker.offered_blocks import start_launcher, tell_problem
from supervisor.worker.signals import stop_signals

_log = logging.getLogger(__name__)

PROGRAM: Final = "supervisor run-block"
_WHERE_TO_LOOK: Final = (
    "If it is in a file that was read, `supervisor check` says what it lacks. To look for blocks elsewhere, give "
    "--function-blocks. "
    "blocks.python_eval and blocks.testing are loaded only if you name them there."
)


_ON_NOTHING: Final[dict[str, Any]] = {"devices": [], "deviceGroups": [], "interfaces": []}


class RunBlockSettings(CommandSettings):
    """Run one block in a child process, exactly as the daemon does, and print its result.

    Exit code 0 when the block succeeded, 1 when it failed or was ended, 2 for wrong usage.
    """

    block: CliPositionalArg[str] = Field(
        description="The block: `package/name:1.0.0`, `package/name`, or its name alone if that is unique."
    )
    params: str = Field(default="{}", description=f"The parameters: {FORMS}.")
    context: str | None = Field(
        default=None, description=f"The job's context, with `devices` and so on: {FORMS}."
    )
    run_on: RunOn | None = Field(
        default=None, description="What the job runs on. Default: what the block is registered for."
    )
    entity_id: int | None = Field(
        default=None, description="The entity to run on. Default: the only one of its kind in the context."
    )
    type: JobType = Field(default="execute", description="What the block must do.")
    as_json: bool = Field(
        default=False,
        alias="json",
        description="Print one JSON object. This is the default if stdout is no terminal.",
    )


def run(arguments: list[str]) -> int:
    """Run the block. Returns 0, 1 if it failed, or 2 if it could not be run as asked."""
    settings = read_settings(RunBlockSettings, arguments, PROGRAM, _EPILOG)
    try:
        given = read_job_input(settings.params, settings.context)
    except BadInputError as error:
        return _refuse(str(error))
    context = _ON_NOTHING if given.context is None else given.context
    asked = Asked(settings.type, settings.run_on, settings.entity_id, given.parameters, context)
    names = NamesForBlocks()
    settings.job_env = list(dict.fromkeys((*settings.job_env, *names.publish(settings))))
    listener = start_logging(settings.log_level_number, settings.log_level_numbers, settings.log_format)
    try:
        return run_to_exit_code(PROGRAM, lambda: _run(settings, asked))
    except KeyboardInterrupt:  # during the import of the blocks; later it ends the job, which is reported
        return EXIT_INTERRUPTED
    finally:
        listener.stop()
        names.withdraw()


_EPILOG: Final = (
    "The block's log and what it prints go to stderr. Two sources of blocks are loaded only if you name them:\n"
    "--function-blocks blocks.python_eval (runs any Python), or blocks.testing (misbehaves on purpose).\n"
    'Example: supervisor run-block echo --params \'{"text": "hello"}\''
)


def _refuse(message: str) -> int:
    print(f"{PROGRAM}: {printable(message)}", file=sys.stderr)
    return EXIT_USAGE


async def _run(settings: RunBlockSettings, asked: Asked) -> int:
    linux.become_subreaper()
    launcher, catalogue = await start_launcher(settings)
    try:
        return await _run_with(launcher, catalogue, settings, asked)
    finally:
        await launcher.close()


async def _run_with(
    launcher: Launcher, catalogue: Catalogue, settings: RunBlockSettings, asked: Asked
) -> int:
    missing = [str(problem) for problem in catalogue.problems if problem.kind == "source"]
    if missing:
        return _refuse(f"--function-blocks: {'; '.join(missing)}.")
    try:
        block = choose(catalogue, settings.block)
    except NoSuchBlockError as error:
        return _refuse(f"{error}\n{_WHERE_TO_LOOK}")
    for problem in catalogue.problems:
        tell_problem(problem)
    run = SingleRun(launcher, settings)
    with stop_signals(lambda _: run.stop()):
        done = await run.run(job_of(asked, block), block)
    answer = answer_of(done)
    if settings.as_json or not sys.stdout.isatty():
        print_json({"block": block.id, **answer}, indent=None, ascii_only=False)
    else:
        print_outcome(block.id, answer)
    return 0 if done.finished.verdict.success else EXIT_FAILED
