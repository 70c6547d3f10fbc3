"""`supervisor submit`: submits a job to the engine of `supervisor local` or `supervisor dev`."""

import asyncio
import contextlib
import logging
import os
import sys
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final

from supervisor.commands.blockserver.block_lookup import NoSuchBlockError
from supervisor.commands.blockserver.job_request import ENTITY_LISTS
from supervisor.commands.local.display import TerminalDisplay
from supervisor.commands.local.flags import on_the_command_line
from supervisor.commands.local.pair import no_proxy_for_the_loopback
from supervisor.commands.local.places import where_engines_are_looked_for
from supervisor.commands.local.threshold import Threshold
from supervisor.commands.shared.command_settings import EXIT_INTERRUPTED
from supervisor.commands.shared.common import EXIT_FAILED, EXIT_USAGE, read_settings
from supervisor.commands.shared.console import OutputConsole, status_on
from supervisor.commands.shared.json_input import BadInputError, read_job_input, read_text
from supervisor.commands.shared.json_output import print_json
from supervisor.commands.submit.batch import results_of, submit_lines
from supervisor.commands.submit.engine_lookup import block_meant, what_it_runs_on
from supervisor.commands.submit.job_follower import WaitedTooLongError, follow
from supervisor.commands.submit.job_lines import BadLinesError, JobLine, read_job_lines
from supervisor.commands.submit.report import report_of, report_table
from supervisor.commands.submit.settings import SubmitSettings
from supervisor.commands.submit.target import Target, find_target
from supervisor.commands.submit.waiting_reason import not_offered_text, waits_for_worker, where_text
from supervisor.engine.http import EngineAccess
from supervisor.engine.submission import OfferedBlock, Submissions
from supervisor.errors import EngineError, StartRefusedError
from supervisor.log.format import printable
from supervisor.settings.contradictions import contradictions
from supervisor.settings.engine_url import checked_engine_url

PROGRAM: Final = "supervisor submit"
Work = Callable[[Submissions, Target], Awaitable[int]]
"""Called when the engine is known. Returns the exit code."""


_EPILOG: Final = (
    "With --wait, the log of the job and its progress go to stderr.\n"
    'Example: supervisor submit show_version --params \'{"include": "uptime"}\' --wait'
)


def run(arguments: list[str]) -> int:
    """Submit the job, and wait for it if asked. Returns the exit code."""
    settings = read_settings(SubmitSettings, arguments, PROGRAM, _EPILOG)
    flags = on_the_command_line(SubmitSettings, arguments)
    try:
        work = _one_job(settings) if settings.jobs is None else _many_jobs(settings, settings.jobs, flags)
    except (BadInputError, BadLinesError) as error:
        return _refuse(str(error))
    target = find_target(settings.engine_url, by_flag="engine_url" in flags, say=_say)
    if target is None:
        return _refuse(
            f"No running engine is announced in {where_engines_are_looked_for()}. Start one with `supervisor dev` or "
            "`supervisor local`. If one runs with another XDG_STATE_HOME, set the same, or give --engine-url and "
            "--engine-token-file."
        )
    try:
        checked_engine_url(target.url)
    except ValueError:
        return _refuse(f"{target.shown_url} is no URL of an engine. Give one such as http://127.0.0.1:3030.")
    # A token file in the environment is another engine's: an engine on this machine has announced its own.
    by_flag = "engine_token_file" in flags or target.token_file is None
    token_file = settings.engine_token_file if by_flag else target.token_file
    if problems := list(contradictions({"engine_url": target.url, "engine_token_file": token_file})):
        return _refuse(f"{'. '.join(problems)}.")
    # An engine on this machine is not behind a proxy.
    os.environ.update(no_proxy_for_the_loopback(os.environ))
    try:
        return asyncio.run(_with_engine(settings, replace(target, token_file=token_file), work))
    except (EngineError, NoSuchBlockError, StartRefusedError, BadLinesError) as error:
        return _refuse(str(error))
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED


def _one_job(settings: SubmitSettings) -> Work:
    """Return the work that submits the job of the command line. Raises `BadInputError`."""
    if settings.block is None:
        raise BadInputError("BLOCK", "name the block to run, or give --jobs with a job on each line.")
    given = read_job_input(settings.params, settings.context)
    body: dict[str, Any] = {"parameters": given.parameters, "type": settings.job_type}
    if given.context is not None:
        body["context"] = given.context
    return partial(_submit, settings, settings.block, body)


def _many_jobs(settings: SubmitSettings, file: str, flags: Collection[str]) -> Work:
    """Return the work that submits the jobs of a file. Raises `BadInputError` and `BadLinesError`."""
    for flag in ("params", "context", "entity_id"):
        if flag in flags:
            name = f"--{flag.replace('_', '-')}"
            raise BadInputError(name, f"with --jobs, each line says that itself, as {flag!r}.")
    lines = read_job_lines(read_text("--jobs", file), settings.block, settings.job_type, settings.run_on)
    return partial(_submit_lines, settings, lines)


async def _with_engine(settings: SubmitSettings, target: Target, work: Work) -> int:
    access = EngineAccess(
        url=target.url,
        ca_file=settings.engine_ca_file,
        client_certificate=settings.engine_client_certificate,
        client_key=settings.engine_client_key,
        token_file=target.token_file,
    )
    engine = Submissions(access)
    try:
        return await work(engine, target)
    finally:
        target.lines.close()
        await engine.close()


async def _submit(
    settings: SubmitSettings, wanted: str, body: dict[str, Any], engine: Submissions, target: Target
) -> int:
    block = await block_meant(engine, wanted)
    place = what_it_runs_on(block, settings.run_on, settings.entity_id, body.get("context") or {})
    if place["runOn"] in ENTITY_LISTS and "entityId" not in place:
        return _refuse(
            f"{block.id} runs on a {place['runOn']}, and this job has none. Give one with --context, or choose "
            "one of several with --entity-id."
        )
    job_id = await engine.submit({"block": block.id, **body, **place})
    await _say_what_nobody_offers(engine, {block.id: job_id})
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


async def _submit_lines(
    settings: SubmitSettings, lines: list[JobLine], engine: Submissions, target: Target
) -> int:
    submitted = await submit_lines(engine, lines)
    await _say_what_nobody_offers(engine, {each.block: each.job_id for each in submitted})
    if not settings.wait:
        for each in submitted:
            where = {"engine": target.shown_url, "result_url": _result_url(target, each.job_id)}
            print_json({**where, "line": each.number, "job": each.job_id, "block": each.block}, indent=None)
        _say(f"Submitted {len(submitted)} jobs to {target.shown_url}.")
        return 0
    outcomes: list[bool | None] = []
    try:
        async for report in results_of(
            engine, submitted, target.lines, timeout_seconds=settings.timeout_seconds
        ):
            outcomes.append(report["success"])
            print_json({"engine": target.shown_url, **report}, indent=None, ascii_only=False)
    except asyncio.CancelledError:
        _say(f"{len(submitted) - len(outcomes)} jobs go on without this command.")
        raise
    except EngineError as error:
        return _refuse(
            f"All jobs were submitted, and {len(submitted) - len(outcomes)} results are not known. {error}"
        )
    late, failed = outcomes.count(None), outcomes.count(False)
    _say(f"{outcomes.count(True)} succeeded, {failed} failed, {late} have no result yet.")
    return EXIT_USAGE if late else EXIT_FAILED if failed else 0


async def _wait(
    settings: SubmitSettings, engine: Submissions, target: Target, job_id: str, block: OfferedBlock
) -> int:
    console = OutputConsole(stderr=True)
    shown = TerminalDisplay(console, Threshold(logging.DEBUG))
    with status_on(console, f"{block.id}: submitted") as status:

        def tell(job: dict[str, Any], waited: float) -> None:
            status.update(f"{block.id} {where_text(job)} ({waited:.0f} s)")

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
            return _refuse(
                f"Job {job_id} has no result after {settings.timeout_seconds:g} s: it {where_text(error.job)}. The job "
                f"goes on without this command. See {_place(target, job_id)}."
            )
    report = report_of(job, cause)
    if _as_json(settings):
        print_json({"engine": target.shown_url, **report}, indent=None, ascii_only=False)
    else:
        OutputConsole().print(report_table(report))
    return 0 if report["success"] else EXIT_FAILED


async def _say_what_nobody_offers(engine: Submissions, jobs: Mapping[str, str]) -> None:
    """Say for which blocks jobs wait that no worker offers now. `jobs` has one job of each block."""
    alone: list[str] = []
    for block, job_id in jobs.items():
        # The jobs are submitted: the code after this reports any other failure.
        with contextlib.suppress(EngineError):
            if waits_for_worker(await engine.job(job_id)):
                alone.append(block)
    if alone:
        _say(not_offered_text(alone))


def _print_submitted(settings: SubmitSettings, target: Target, job_id: str, block: OfferedBlock) -> None:
    if _as_json(settings):
        where = {"engine": target.shown_url, "result_url": _result_url(target, job_id)}
        print_json({**where, "job": job_id, "block": block.id}, indent=None)
    else:
        print(f"Submitted {block.id} as job {job_id}. Its result: {_place(target, job_id)}")


def _place(target: Target, job_id: str) -> str:
    token = f" (with the bearer token in {target.token_file})" if target.token_file else ""
    return f"{_result_url(target, job_id)}{token}"


def _result_url(target: Target, job_id: str) -> str:
    return f"{target.shown_url}/dev/jobs/{job_id}"


def _as_json(settings: SubmitSettings) -> bool:
    return settings.as_json or not sys.stdout.isatty()


def _refuse(message: str) -> int:
    _say(message)
    return EXIT_USAGE


def _say(message: str) -> None:
    print(f"{PROGRAM}: {printable(message)}", file=sys.stderr)
