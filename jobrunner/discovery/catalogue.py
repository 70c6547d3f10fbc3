"""The whole discovery: import the modules of every source, one at a time, and list what there is."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

from jobrunner.discovery.code_digest import CodeDigests
from jobrunner.discovery.module import Module, name_package
from jobrunner.discovery.module_choice import Found
from jobrunner.discovery.module_import import forget_half_imported, import_module, problem_of, thread_problem
from jobrunner.discovery.sources import modules_of
from jobrunner.errors import SourceError, UnusableNameError
from jobrunner.protocol.catalogue import BlockEntry, Catalogue, ImportProblem, LeftOut
from jobrunner.protocol.entry import Discovery
from sdk.block_registry import RegisteredBlock, registry
from sdk.compat.finder import install_alias
from sdk.compat.installed import adopt_blocks, load_bundled_plugins_on_demand
from sdk.errors import DuplicateBlockError, SdkError
from sdk.parsing.sensitive_paths import sensitive_paths
from sdk.schema import engine_schema


def discover(
    discovery: Discovery, announce: Callable[[Module], None], *, with_digests: bool = True
) -> Catalogue:
    """Import the blocks of `discovery` into this process.

    `announce` is called with each module before its import. So if the process hangs or dies after that, the supervisor
    knows which module to leave out next time. Without digests the blocks' files are not read again: that is for a
    process that reports its catalogue to nobody.
    """
    install_alias()
    load_bundled_plugins_on_demand()
    found = _found(discovery)
    modules = {module.name: module for module in found.modules if module.name not in discovery.skip_modules}
    problems = [_problem_of(module, error) for module, error in found.broken if module.name not in modules]
    process, origins = os.getpid(), _Origins()
    for module in modules.values():
        announce(module)
        problem = import_module(module)
        if os.getpid() != process:
            os._exit(0)  # the module has forked, and the fork goes on as if it were the template
        if problem is not None:
            problems.append(problem)
            forget_half_imported()
            if module.is_directory:  # the modules in it are imported nevertheless
                name_package(Path(module.file or "").parent)
        origins.note(module)
        # Only the first is reported: later modules are not to blame for a thread that exists already.
        if not any(known.kind == "thread" for known in problems):
            threads = thread_problem(module)
            if threads is not None:
                problems.append(threads)
    problems.extend(_adopt_blocks())
    blocks = _entries(problems, origins, CodeDigests() if with_digests else None)
    return Catalogue(blocks=blocks, problems=tuple(problems), left_out=_left_out(found))


class _Origins:
    """With the import of which module each block was registered."""

    def __init__(self) -> None:
        self._blocks: dict[str, RegisteredBlock] = {}
        self._modules: dict[str, str] = {}

    def note(self, module: Module) -> None:
        """Assign all blocks that were registered since the last call to the import of this module."""
        for identifier, block in registry.function_blocks.items():
            if self._blocks.get(identifier) is not block:
                self._modules[identifier] = module.name
        self._blocks = dict(registry.function_blocks)

    def of(self, block: RegisteredBlock) -> str | None:
        return self._modules.get(block.registration.identifier)


def _adopt_blocks() -> list[ImportProblem]:
    """Register here what was registered with an installed `neops_worker_sdk`; return what can't be."""
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


def _found(discovery: Discovery) -> Found:
    parts: list[Found] = []
    for source in discovery.sources:
        try:
            parts.append(modules_of(source, import_all=discovery.import_all))
        except SourceError as error:
            parts.append(Found(broken=((Module(source, None), error),)))
    return Found.of(parts)


def _problem_of(module: Module, error: Exception) -> ImportProblem:
    if isinstance(error, SourceError):
        return ImportProblem(
            module=error.source, file=None, line=None, kind="source", message=error.message, traceback=""
        )
    if isinstance(error, UnusableNameError):
        return ImportProblem(
            module=module.name, file=module.file, line=None, kind="error", message=str(error), traceback=""
        )
    return problem_of(module, "error", error)


def _left_out(found: Found) -> tuple[LeftOut, ...]:
    """List what was not imported in the end. A module that a block imports itself is not left out."""
    imported = {getattr(module, "__dict__", {}).get("__file__") for module in list(sys.modules.values())}
    left_out = {module.name: (module, reason) for module, reason in found.left_out}
    return tuple(
        LeftOut(module=module.name, file=module.file, reason=reason)
        for module, reason in left_out.values()
        if module.file not in imported
    )


def _entries(
    problems: list[ImportProblem], origins: _Origins, digests: CodeDigests | None
) -> tuple[BlockEntry, ...]:
    entries: list[BlockEntry] = []
    for _, block in sorted(registry.function_blocks.items()):
        try:
            entries.append(_entry(block, origins.of(block), digests))
        except SdkError as error:  # a model without a JSON schema
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
        except BaseException as error:  # a part of a schema may be an author's own code
            problems.append(problem_of(Module(block.module, block.file), "error", error))
    return tuple(entries)


def _entry(block: RegisteredBlock, imported_with: str | None, digests: CodeDigests | None) -> BlockEntry:
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
        max_cpu_seconds=registration.max_cpu_seconds,
        max_concurrent=registration.max_concurrent,
        code_digest=digests.of(block.module, block.file) if digests else "",
        module=block.module,
        imported_with=imported_with,
        file=block.file,
        line=block.line,
    )
