"""Discovery as a whole: import every module of every source, one at a time, and list what there is."""

import os
from collections.abc import Callable

from jobrunner.discovery.importing import forget_half_imported, import_module, thread_problem
from jobrunner.discovery.sources import Module, modules_of
from jobrunner.errors import SourceError
from jobrunner.protocol.catalogue import BlockEntry, Catalogue, ImportProblem
from jobrunner.protocol.entry import Discovery
from sdk.block_registry import RegisteredBlock, registry
from sdk.compat.finder import install_alias
from sdk.compat.installed import adopt_blocks
from sdk.declared import sensitive_paths
from sdk.errors import DuplicateBlockError, SdkError
from sdk.schema import engine_schema


def discover(discovery: Discovery, announce: Callable[[Module], None]) -> Catalogue:
    """Import the blocks of ``discovery`` into this process.

    ``announce`` is called with each module before it is imported: when the process goes silent or dies
    afterwards, the supervisor knows which module to leave out next time.
    """
    install_alias()
    problems: list[ImportProblem] = []
    process = os.getpid()
    for module in _modules(discovery, problems):
        announce(module)
        problem = import_module(module)
        if os.getpid() != process:
            os._exit(0)  # a fork that the module made and left to go on as if it were the template
        if problem is not None:
            problems.append(problem)
            forget_half_imported()
        # Only the first is named: later modules are not to blame for a thread that is already there.
        if not any(known.kind == "thread" for known in problems):
            threads = thread_problem(module)
            if threads is not None:
                problems.append(threads)
    problems.extend(_adopt_blocks())
    blocks = _entries(problems)
    return Catalogue(blocks=blocks, problems=tuple(problems))


def _adopt_blocks() -> list[ImportProblem]:
    """Take over what was registered with an installed ``neops_worker_sdk``; return what can't be."""
    return [
        ImportProblem(
            module=refused.module,
            file=refused.file,
            line=refused.line,
            kind="conflict" if isinstance(refused.error, DuplicateBlockError) else "error",
            message=str(refused.error),
            traceback="",
        )
        for refused in adopt_blocks()
    ]


def _modules(discovery: Discovery, problems: list[ImportProblem]) -> list[Module]:
    found: dict[str, Module] = {}
    for source in discovery.sources:
        try:
            for module in modules_of(source):
                found.setdefault(module.name, module)
        except SourceError as error:
            problems.append(
                ImportProblem(
                    module=source, file=None, line=None, kind="source", message=error.message, traceback=""
                )
            )
    return [module for name, module in found.items() if name not in discovery.skip_modules]


def _entries(problems: list[ImportProblem]) -> tuple[BlockEntry, ...]:
    entries: list[BlockEntry] = []
    for _, block in sorted(registry.function_blocks.items()):
        try:
            entries.append(_entry(block))
        except SdkError as error:  # a model that has no JSON schema
            problems.append(
                ImportProblem(
                    module=block.module,
                    file=block.file,
                    line=block.line,
                    kind="error",
                    message=str(error),
                    traceback="",
                )
            )
    return tuple(entries)


def _entry(block: RegisteredBlock) -> BlockEntry:
    registration = block.registration
    return BlockEntry(
        id=registration.identifier,
        package=registration.package,
        name=registration.name,
        version=registration.version,
        description=registration.description,
        run_on=registration.run_on,
        fb_type=registration.fb_type,
        help_text=registration.markdown_helptext,
        deprecated=registration.deprecated,
        is_idempotent=registration.is_idempotent,
        is_pure=registration.is_pure,
        reversible=registration.reversible,
        parameter_schema=engine_schema(registration.param_cls),
        result_schema=engine_schema(registration.result_cls, mode="serialization"),
        sensitive_parameters=sensitive_paths(registration.param_cls),
        max_seconds=registration.max_seconds,
        max_memory_mb=registration.max_memory_mb,
        module=block.module,
        file=block.file,
        line=block.line,
    )
