"""`supervisor submit`: one job for the engine of `supervisor local` or `supervisor dev`."""

import asyncio
import json
import logging
import os
import sys
from dataclasses import replace
from typing import Any, Final

from pydantic import Field
from pydantic_settings import BaseSettings, CliPositionalArg, PydanticBaseSettingsSource

from jobrunner.protocol.messages import JobType, RunOn
from supervisor.commands.blockserver.block_lookup import NoSuchBlockError
from supervisor.commands.blockserver.job_request import ENTITY_LISTS
from supervisor.commands.local.display import TerminalDisplay
from supervisor.commands.local.flags import on_the_command_line
from supervisor.commands.local.pair import no_proxy_for_the_loopback
from supervisor.commands.local.places import where_engines_are_looked_for
from supervisor.commands.local.threshold import Threshold
from supervisor.commands.shared.command_settings import EXIT_INTERRUPTED, OnlyThese
from supervisor.commands.shared.common import EXIT_FAILED, EXIT_USAGE, read_settings
from supervisor.commands.shared.console import OutputConsole, status_on
from supervisor.commands.shared.json_input import FORMS, BadInputError, read_job_input
from supervisor.commands.submit.engine_lookup import block_meant, what_it_runs_on
from supervisor.commands.submit.job_follower import WaitedTooLongError, follow
from supervisor.commands.submit.report import report_of, report_table
from supervisor.commands.submit.target import Target, find_target
from supervisor.engine.http import EngineAccess
from supervisor.engine.submission import OfferedBlock, Submissions
from supervisor.errors import EngineError, StartRefusedError
from supervisor.log.format import printable, printable_json
from supervisor.settings.files import File
from supervisor.settings.run_settings import URL, RunSettings

PROGRAM: Final = "supervisor submit"
_OF_THE_ENGINE: Final = frozenset(
    {"engine_url", "engine_ca_file", "engine_client_certificate", "engine_client_key", "engine_token_file"}
)


class SubmitSettings(BaseSettings):
    """Submit a job to an engine that `supervisor local` or `supervisor dev` runs.

    Exit code 0 when the engine took the job, or, with --wait, when the job succeeded; 1 when it failed; 2 for wrong
    usage, for an engine that can't be used, and for a result that did not come in time.
    """

    model_config = RunSettings.model_config

    block: CliPositionalArg[str] = Field(
        description="The block: `package/name:1.0.0`, `package/name`, or its name alone where that is unique."
    )
    params: str = Field(default="{}", description=f"The parameters: {FORMS}.")
    context: str | None = Field(
        default=None, description=f"The job's context, with `devices` and so on: {FORMS}."
    )
    job_type: JobType = Field(default="execute", alias="type", description="What is asked of the block.")
    run_on: RunOn | None = Field(
        default=None, description="What the job runs on. Default: as the block is registered."
    )
    entity_id: int | None = Field(
        default=None, description="The entity to run on. Default: the only one of its kind in the context."
    )
    wait: bool = Field(
        default=False, description="Wait for the result, and show what the job logs meanwhile."
    )
    timeout_seconds: float | None = Field(
        default=None, gt=0, description="How long to wait. Default: until there is a result."
    )
    engine_url: str = Field(
        default="",
        description="The engine. Default: the one that `local` or `dev` has started last and that still runs, "
        "else NEOPS_ENGINE_URL or URL_BLACKBOARD.",
    )
    engine_ca_file: File = Field(default=None, description="CA certificates for an engine behind TLS.")
    engine_client_certificate: File = Field(default=None, description="Client certificate for it.")
    engine_client_key: File = Field(default=None, description="Its key, if that is in another file.")
    engine_token_file: File = Field(default=None, description="A file with a bearer token for the engine.")
    as_json: bool = Field(
        default=False,
        alias="json",
        description="Print one JSON object, as is done where stdout is no terminal.",
    )

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], *args: Any, **kwargs: Any
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take from the environment and from `.env` what is about the engine, and nothing about the job."""
        sources = RunSettings.settings_customise_sources(settings_cls, *args, **kwargs)
        return tuple(OnlyThese(settings_cls, source, _OF_THE_ENGINE) for source in sources)


_EPILOG: Final = (
    "With --wait, the log of the job and its progress go to stderr.\n"
    'Example: supervisor submit show_version --params \'{"include": "uptime"}\' --wait'
)


def run(arguments: list[str]) -> int:
    """Submit the job, and wait for it if asked. Returns the exit code."""
    settings = read_settings(SubmitSettings, arguments, PROGRAM, _EPILOG)
    try:
        given = read_job_input(settings.params, settings.context)
    except BadInputError as error:
        return _refuse(str(error))
    body: dict[str, Any] = {"parameters": given.parameters, "type": settings.job_type}
    if given.context is not None:
        body["context"] = given.context
    flags = on_the_command_line(SubmitSettings, arguments)
    target = find_target(settings.engine_url, by_flag="engine_url" in flags, say=_say)
    if target is None:
        return _refuse(
            f"No running engine is announced in {where_engines_are_looked_for()}. Start one with `supervisor dev` or "
            "`supervisor local`. If one runs with another XDG_STATE_HOME, set the same, or give --engine-url and "
            "--engine-token-file."
        )
    if not URL.fullmatch(target.url):
        return _refuse(f"{target.url} is no URL of an engine. Give one such as http://127.0.0.1:3030.")
    # An engine on this machine is not to be sought behind a proxy.
    os.environ.update(no_proxy_for_the_loopback(os.environ))
    try:
        # What the environment names is another engine's: an engine that runs here has said where its own is.
        by_flag = "engine_token_file" in flags or target.token_file is None
        token_file = settings.engine_token_file if by_flag else target.token_file
        return asyncio.run(_submit(settings, replace(target, token_file=token_file), body))
    except (EngineError, NoSuchBlockError, StartRefusedError) as error:
        return _refuse(str(error))
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED


async def _submit(settings: SubmitSettings, target: Target, body: dict[str, Any]) -> int:
    access = EngineAccess(
        url=target.url,
        ca_file=settings.engine_ca_file,
        client_certificate=settings.engine_client_certificate,
        client_key=settings.engine_client_key,
        token_file=target.token_file,
    )
    engine = Submissions(access)
    try:
        block = await block_meant(engine, settings.block)
        if not block.workers_online:
            print(
                f"{PROGRAM}: no worker that is online offers {block.id}. The job waits until one does.",
                file=sys.stderr,
            )
        place = what_it_runs_on(block, settings.run_on, settings.entity_id, body.get("context") or {})
        if place["runOn"] in ENTITY_LISTS and "entityId" not in place:
            return _refuse(
                f"{block.id} runs on a {place['runOn']}, and this job has none. Give one with --context, or choose "
                "one of several with --entity-id."
            )
        job_id = await engine.submit({"block": block.id, **body, **place})
        if not settings.wait:
            _print_submitted(settings, target, job_id, block)
            return 0
        try:
            return await _wait(settings, engine, target, job_id, block)
        except asyncio.CancelledError:
            _say(f"Job {job_id} goes on without this command. Its result: {_place(target, job_id)}")
            raise
        except EngineError as error:
            return _refuse(
                f"Job {job_id} was submitted, and its result is not known here. {error} "
                f"When the engine answers again, see {_place(target, job_id)}."
            )
    finally:
        target.lines.close()
        await engine.close()


async def _wait(
    settings: SubmitSettings, engine: Submissions, target: Target, job_id: str, block: OfferedBlock
) -> int:
    console = OutputConsole(stderr=True)
    shown = TerminalDisplay(console, Threshold(logging.DEBUG))
    # A worker that is online and has not taken the job yet has no slot for it.
    pending = f"waits for a {'slot' if block.workers_online else 'worker'}"
    with status_on(console, f"{block.id}: submitted") as status:

        def tell(where: str, waited: float) -> None:
            what = pending if where == "pending" else "runs"
            status.update(f"{block.id} {what} ({waited:.0f} s)")

        try:
            job = await follow(
                engine,
                job_id,
                target.lines,
                timeout_seconds=settings.timeout_seconds,
                on_line=shown.line,
                on_status=tell,
            )
            cause = await target.lines.cause_of(job_id, shown.line)
        except WaitedTooLongError as error:
            what = pending if error.status == "pending" else "runs on"
            return _refuse(
                f"Job {job_id} has no result after {settings.timeout_seconds:g} s: it {what}. "
                f"See {_place(target, job_id)}."
            )
    report = report_of(job, cause)
    if _as_json(settings):
        print(printable_json(json.dumps({"engine": target.url, **report}, ensure_ascii=False)))
    else:
        OutputConsole().print(report_table(report))
    return 0 if report["success"] else EXIT_FAILED


def _print_submitted(settings: SubmitSettings, target: Target, job_id: str, block: OfferedBlock) -> None:
    if _as_json(settings):
        where = {"engine": target.url, "result_url": _result_url(target, job_id)}
        print(json.dumps({**where, "job": job_id, "block": block.id}))
    else:
        print(f"Submitted {block.id} as job {job_id}. Its result: {_place(target, job_id)}")


def _place(target: Target, job_id: str) -> str:
    token = f" (with the bearer token in {target.token_file})" if target.token_file else ""
    return f"{_result_url(target, job_id)}{token}"


def _result_url(target: Target, job_id: str) -> str:
    return f"{target.url}/dev/jobs/{job_id}"


def _as_json(settings: SubmitSettings) -> bool:
    return settings.as_json or not sys.stdout.isatty()


def _refuse(message: str) -> int:
    _say(message)
    return EXIT_USAGE


def _say(message: str) -> None:
    print(f"{PROGRAM}: {printable(message)}", file=sys.stderr)
