"""One job of the other package's block. Its classes read the job, its code runs, and this translates its answer."""

from __future__ import annotations

import importlib
import inspect
from typing import Any

from pydantic import ValidationError

from sdk.acquire_items import wire_items
from sdk.calls import needs_forward_result
from sdk.compat.client import client_class
from sdk.compat.entity_secrets import have_entities_tell
from sdk.compat.installed.logs import send_logs_to
from sdk.compat.migration_hints import ALIASED
from sdk.context.kinds import KINDS
from sdk.encoding import to_plain
from sdk.errors import ContextError, ParameterError, WrongResultError, join_problems
from sdk.execution import JobRun, OutcomeBody, plain_data
from sdk.parsing.problems import problems_of
from sdk.sensitive import collect_secrets


class InstalledJobRun(JobRun):
    """`JobRun` for a class that derives from the other package's `FunctionBlock`."""

    async def execute(self) -> OutcomeBody:
        """Run the block. Compute its database updates as its package does."""
        params, context = self._their_input()
        self.job.was_read(context)
        block = self._block()
        try:
            # This worker's own boundary gets the exception: with its traceback, and without secrets.
            outcome = await block.execute_function_block(params, context, propagate_exceptions=True)
        finally:
            self._know_what_is_in(context)
        result = self._checked(outcome)
        data = plain_data(result.data) if result.success else self.data_of_failed(result)
        updates = _updates(context.compute_db_updates()) if result.success else None
        return self._their_body(result, data=data, db_updates=updates)

    async def acquire(self) -> OutcomeBody:
        """Ask the block what it needs."""
        block = self._block()
        params = block.parse_acquire_parameters_from_dto(dict(self.job.parameters), self.block.registration)
        self.secrets.add(collect_secrets(params.partial))
        self.job.was_read(params)
        result = self._checked(await block.acquire(params))
        items = wire_items(result.acquires or []) if result.success else []
        return self._their_body(result, acquires=items or None)

    async def rollback(self) -> OutcomeBody:
        """Ask the block to undo what it did."""
        params, context = self._their_input()
        self.job.was_read(context)
        block = self._block()
        older = (None,) if needs_forward_result(type(block).rollback) else ()
        try:
            outcome = await _awaited(block.rollback(params, context, *older))
        finally:
            self._know_what_is_in(context)
        return self._their_body(self._checked(outcome))

    def _block(self) -> Any:
        send_logs_to(self.logger)
        return self.block.cls()

    def _know_what_is_in(self, context: Any) -> None:
        """Learn the secrets that the block has left in the context, to hide them in the texts about its end."""
        # No class reported what it put into a dict of an entity, or into a copy that it assigned.
        own = vars(context)
        found = [(getattr(context, kind.attribute, None), own.get(kind.own_attribute)) for kind in KINDS]
        self.secrets.add(collect_secrets(found))

    def _their_input(self) -> tuple[Any, Any]:
        model: Any = self.block.registration.param_cls
        try:
            params = self._block().parse_parameters_from_dto(dict(self.job.parameters), model)
        except ValidationError as error:
            # "from None": the text of the cause holds values, and a traceback would print it.
            raise ParameterError(model.__name__, problems_of(error, model)) from None
        self.secrets.add(collect_secrets(params))
        return params, self._their_context()

    def _their_context(self) -> Any:
        have_entities_tell()
        given = self.job.context or {}
        try:
            dto = client_class("JobExecutionContextDto").from_dict(
                {kind.key: given.get(kind.key) or [] for kind in KINDS}
            )
            return _context_class()(dto, self.job.run_on, self.job.entity_id)
        except ValidationError as error:
            problems = join_problems(problems_of(error))
            raise ContextError(f"The context does not fit the installed client: {problems}.") from None
        except StopIteration:
            raise ContextError(f"The context lacks {self.job.run_on} {self.job.entity_id}.") from None

    def _checked(self, result: Any) -> Any:
        if isinstance(getattr(result, "success", None), bool) and hasattr(result, "message"):
            return result
        found = "nothing (None)" if result is None else f"a {type(result).__qualname__}"
        name = self.block.registration.identifier
        raise WrongResultError(f"{name} returned {found}. Return a result on every path.")

    def _their_body(self, result: Any, **parts: Any) -> OutcomeBody:
        return OutcomeBody(
            success=result.success,
            message=self.clean(str(result.message)),
            retryable=getattr(result, "retryable", None),
            warnings=tuple(self.warnings),
            not_awaited=tuple(self.not_awaited),
            **parts,
        )


async def _awaited(outcome: Any) -> Any:
    return await outcome if inspect.isawaitable(outcome) else outcome


def _context_class() -> Any:
    # By name: the package has registered a block, so it is loaded.
    return importlib.import_module(f"{ALIASED}.workflow.workflow_context").WorkflowContext


def _updates(dto: Any) -> list[dict[str, Any]] | None:
    updates = [_update(item) for item in getattr(dto, "updates", None) or ()]
    return updates or None


def _update(item: Any) -> dict[str, Any]:
    """One update in the engine's wire form."""
    actual = getattr(item, "actual_instance", item)
    raw: Any = actual.to_dict() if hasattr(actual, "to_dict") else actual
    plain: dict[str, Any] = to_plain(raw, "db_updates")
    if plain.get("operation") == "patch":
        # The client leaves a null value out, but the engine needs it.
        plain.setdefault("value", None)
    return plain
